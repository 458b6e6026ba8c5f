/**
 * Runs the tests, on the workspace's own Node or on the one at the path in LOGSTORE_TEST_NODE. The
 * arguments are those of vitest.
 */
import { execFileSync, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";

const node = process.env.LOGSTORE_TEST_NODE || process.execPath;
const [major, minor] = execFileSync(node, ["--print", "process.versions.node"], { encoding: "utf8" })
  .split(".")
  .map(Number);

// Processes that tests start as "node" use it, too.
const pathName = Object.keys(process.env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
const env = { ...process.env, [pathName]: `${dirname(node)}${delimiter}${process.env[pathName]}` };
const args = process.argv.slice(2);
if (major < 24) {
  // All packages; the programs that the tests across packages start are TypeScript, for Node 24.
  for (const name of [
    "codec",
    "protocol",
    "core",
    "client",
    "server-grpc",
    "cli",
    "testing",
    "nestjs",
    "create-logstore",
    "engine-jetstream",
  ])
    args.push("--project", name);
  const flags = major === 22 && minor < 18 ? "--experimental-strip-types --disable-warning=ExperimentalWarning" : "";
  env.NODE_OPTIONS = `${env.NODE_OPTIONS ?? ""} ${flags}`.trim();
}

const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
spawn(node, [vitest, "run", ...args], { stdio: "inherit", env }).on("exit", (code) => {
  process.exitCode = code ?? 1;
});
