/** The process of the command: the version of Node, its signals and its exit code. */

const LOWEST_NODE = [22, 15] as const;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > LOWEST_NODE[0] || (major === LOWEST_NODE[0] && minor >= LOWEST_NODE[1])) {
  if (process.argv[2] === "serve") {
    // The server's command parses its own options.
    process.argv.splice(2, 1);
    await import("@logstore/server-grpc/command");
  } else {
    const { runProcess } = await import("./run-process.js");
    await runProcess();
  }
} else {
  process.stderr.write(
    `logstore: Node ${process.versions.node} is too old: use Node ${LOWEST_NODE.join(".")} or newer\n`,
  );
  process.exitCode = 1;
}
