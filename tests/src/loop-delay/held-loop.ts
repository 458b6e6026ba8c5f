/** A server whose event loop is measured while requests are made. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeDirectory, temporaryDirectory } from "../homes.ts";
import { Stranger } from "../hostile/stranger.ts";
import type { LargeRequest, Loop } from "./request.ts";

/** No permitted request may block the event loop for longer. */
export const MAX_BUSY_MS = 50;

export interface Held {
  /** The most processor time of the server's thread in one turn of its event loop. */
  readonly busyMs: number;
  /** The longest delay of a timer. */
  readonly delayMs: number;
  readonly tookMs: number;
  readonly rssBytes: number;
  /** Response times of another client's pings; undefined if there were none. */
  readonly pings: { readonly mostMs: number; readonly p99Ms: number } | undefined;
}

export interface HeldLoopOptions {
  /** Root of a built checkout. Default: this one. */
  readonly build?: string | undefined;
  /** On disk instead of in memory. */
  readonly isDurable?: boolean | undefined;
  /** Whether another process pings the server at the same time. */
  readonly withPings?: boolean | undefined;
}

const OWN_BUILD = fileURLToPath(new URL("../../..", import.meta.url));

export class HeldLoop implements Loop {
  readonly #options: HeldLoopOptions;
  readonly #directory: string | undefined;
  #server: ChildProcess | undefined;
  #pinger: ChildProcess | undefined;
  #address = "";
  #strangers: Stranger[] = [];

  private constructor(options: HeldLoopOptions, directory: string | undefined) {
    this.#options = options;
    this.#directory = directory;
  }

  static async start(options: HeldLoopOptions = {}): Promise<HeldLoop> {
    const loop = new HeldLoop(options, options.isDurable ? await temporaryDirectory() : undefined);
    await loop.#start();
    return loop;
  }

  /** The first connection. */
  get stranger(): Stranger {
    return this.#strangers[0]!;
  }

  more(): Stranger {
    const stranger = new Stranger(this.#address);
    this.#strangers.push(stranger);
    return stranger;
  }

  async restart(): Promise<void> {
    this.#disconnect();
    this.#server!.send("stop");
    await once(this.#server!, "exit");
    await this.#start();
  }

  async measure({ run }: LargeRequest): Promise<Held> {
    await answerOf(this.#server!, "begin");
    if (this.#pinger) await answerOf(this.#pinger, "begin");
    const begun = performance.now();
    await run(this.stranger, this);
    const tookMs = performance.now() - begun;
    const held = (await answerOf(this.#server!, "tell")) as Omit<Held, "tookMs" | "pings">;
    const pings = this.#pinger && ((await answerOf(this.#pinger, "tell")) as NonNullable<Held["pings"]>);
    return { ...held, tookMs, pings };
  }

  async close(): Promise<void> {
    this.#disconnect();
    this.#server!.kill("SIGKILL");
    await once(this.#server!, "exit");
    if (this.#directory !== undefined) await removeDirectory(this.#directory);
  }

  async #start(): Promise<void> {
    const { build = OWN_BUILD, withPings = false } = this.#options;
    const data = this.#directory === undefined ? ":memory:" : join(this.#directory, "data");
    this.#server = fork(fileURLToPath(new URL("served.ts", import.meta.url)), [build, data]);
    [this.#address] = await once(this.#server, "message");
    this.more();
    if (!withPings) return;
    this.#pinger = fork(fileURLToPath(new URL("pinger.ts", import.meta.url)), [this.#address]);
    await once(this.#pinger, "message");
  }

  #disconnect(): void {
    for (const stranger of this.#strangers) stranger.close();
    this.#strangers = [];
    this.#pinger?.kill("SIGKILL");
    this.#pinger = undefined;
  }
}

async function answerOf(child: ChildProcess, message: string): Promise<unknown> {
  child.send(message);
  const [answer] = await once(child, "message");
  return answer;
}
