/** `logstore-server` in a process of its own, which can be killed and restarted. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const bin = fileURLToPath(new URL("dist/bin.cjs", import.meta.resolve("@logstore/server-grpc/package.json")));

/** Preloaded into a process that is started with a pipe as its stdin. */
export const endsWithParent = new URL("ends-with-parent.mjs", import.meta.url).href;

export interface ServerOptions {
  readonly port?: number;
  readonly args?: readonly string[];
  /** In addition to the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** The command of another build. */
  readonly bin?: string | undefined;
  /** Called with each line of the server's stderr. Default: stderr is inherited. */
  readonly onErrorLine?: (line: string) => void;
}

export class ServerProcess {
  readonly address: string;
  /** Resolves when the process has exited, for whatever reason. */
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
    this.ended = once(child, "exit");
  }

  /** @param dataDirectory undefined: the engine of `args` has none */
  static async start(dataDirectory: string | undefined, options: ServerOptions = {}): Promise<ServerProcess> {
    const args = [
      "--import",
      endsWithParent,
      options.bin ?? bin,
      ...(dataDirectory === undefined ? [] : ["--data", dataDirectory]),
      "--port",
      String(options.port ?? 0),
      ...(options.args ?? []),
    ];
    const { onErrorLine } = options;
    // The effects of tests need not be logged.
    const env = { ...process.env, LOGSTORE_LOG_LEVEL: "error", ...options.env };
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", onErrorLine ? "pipe" : "inherit"], env });
    if (onErrorLine) createInterface({ input: child.stderr! }).on("line", onErrorLine);
    for await (const line of createInterface({ input: child.stdout! })) {
      const address = /^logstore listening on (.+)$/.exec(line)?.[1];
      if (address !== undefined) return new ServerProcess(child, address);
    }
    throw new Error("the server ended before it listened");
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get port(): number {
    return Number(this.address.split(":").at(-1));
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resident memory of the process, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** SIGHUP: the server reloads its configuration. */
  reload(): void {
    this.#child.kill("SIGHUP");
  }

  /** SIGKILL; resolves when the process has exited. */
  kill(): Promise<number | null> {
    return this.#end("SIGKILL");
  }

  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    if (!this.isAlive) return this.#child.exitCode;
    const exit = once(this.#child, "exit");
    this.#child.kill(signal);
    return (await exit)[0];
  }
}
