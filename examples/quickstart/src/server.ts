/** The server, in a process of its own that is restarted whenever it dies. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("dist/bin.cjs", import.meta.resolve("@logstore/server-grpc/package.json")));
const LISTENING = /^logstore listening on (?<host>.+):(?<port>\d+)$/;

export class Server {
  /** Number of restarts. */
  restarts = 0;
  /** Rejects if it cannot be restarted. */
  readonly lost: Promise<never>;
  readonly #dataDirectory: string;
  readonly #loseWith: (error: unknown) => void;
  #child: ChildProcess | undefined;
  #port = 0;
  #stopping = false;

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
    const { promise, reject } = Promise.withResolvers<never>();
    this.lost = promise;
    this.#loseWith = reject;
    this.lost.catch(() => {}); // reported to whoever awaits it
  }

  /**
   * Starts it on a free port, and later on the same one; resolves to its address when it serves.
   */
  async start(): Promise<string> {
    const args = [bin, "--data", this.#dataDirectory, "--port", String(this.#port), "--log-level", "error"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const { host, port } = LISTENING.exec(line)?.groups ?? {};
      if (port === undefined) continue;
      this.#port = Number(port);
      child.once("exit", () => this.#startAgain());
      return `${host}:${port}`;
    }
    throw new Error("the server ended before it was ready");
  }

  /** Like a crash: the server finishes nothing and notifies no one. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await ended(this.#child, () => this.#child?.kill("SIGTERM"));
  }

  #startAgain(): void {
    if (this.#stopping) return;
    this.restarts++;
    this.start().catch(this.#loseWith);
  }
}

/** Resolves when a process has exited; `ask` makes it exit if it has not yet. */
export async function ended(child: ChildProcess | undefined, ask: () => void): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  ask();
  await exit;
}
