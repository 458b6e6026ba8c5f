/** A server whose event loop is watched while requests are made. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Stranger } from "../hostile/stranger.ts";
import type { LargeRequest } from "./requests.ts";

/** No request of one who is permitted may hold the loop for longer. */
export const MAX_BUSY_MS = 50;

export interface Held {
  /** The most processor time of the server's thread between two turns of its loop. */
  readonly busyMs: number;
  /** The longest that a timer was late. */
  readonly delayMs: number;
  readonly tookMs: number;
  readonly rssBytes: number;
}

export class HeldLoop {
  readonly stranger: Stranger;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.stranger = new Stranger(address);
  }

  static async start(): Promise<HeldLoop> {
    const child = fork(fileURLToPath(new URL("served.ts", import.meta.url)));
    const [address] = await once(child, "message");
    return new HeldLoop(child, String(address));
  }

  async measure({ run }: LargeRequest): Promise<Held> {
    this.#child.send("begin");
    await once(this.#child, "message");
    const begun = performance.now();
    await run(this.stranger);
    const tookMs = performance.now() - begun;
    this.#child.send("tell");
    const [held] = await once(this.#child, "message");
    return { ...(held as Omit<Held, "tookMs">), tookMs };
  }

  async close(): Promise<void> {
    this.stranger.close();
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}
