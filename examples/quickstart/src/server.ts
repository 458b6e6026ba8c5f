/** The server, as a process of its own that is started again whenever it dies. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const bin = new URL("dist/bin.js", import.meta.resolve("@logstore/server-grpc/package.json"));
const LISTENING = /^logstore listening on (?<host>.+):(?<port>\d+)$/;

export class Server {
  readonly #dataDirectory: string;
  #child: ChildProcess | undefined;
  #port = 0;
  #stopping = false;

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
  }

  /** Starts it on a free port, and later on the same one; resolves to its address when it serves. */
  async start(): Promise<string> {
    const args = [bin.pathname, "--data", this.#dataDirectory, "--port", String(this.#port)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    child.once("exit", () => {
      if (!this.#stopping) void this.start();
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const { host, port } = LISTENING.exec(line)?.groups ?? {};
      if (port === undefined) continue;
      this.#port = Number(port);
      return `${host}:${port}`;
    }
    throw new Error("the server ended before it was ready");
  }

  /** As a crash would: nothing is finished, nothing is said. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => {
      child.once("exit", resolve);
      child.kill("SIGTERM");
    });
  }
}
