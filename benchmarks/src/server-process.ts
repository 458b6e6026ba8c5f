/** The command `logstore-server` as a process of its own, as anybody runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export class ServerProcess {
  readonly address: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, address: string) {
    this.#process = process;
    this.address = address;
  }

  static async start(directory: string): Promise<ServerProcess> {
    const bin = fileURLToPath(new URL("dist/bin.js", import.meta.resolve("@logstore/server-grpc/package.json")));
    const args = [bin, "--data", directory, "--port", "0", "--durability", "written"];
    const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface({ input: server.stdout })) {
      const address = /[^ ]+:\d+$/.exec(line)?.[0];
      if (address !== undefined) return new ServerProcess(server, address);
    }
    throw new Error("the server did not start");
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exited;
  }
}
