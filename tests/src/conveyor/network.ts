/**
 * A TCP relay that simulates a distant server: bytes are delayed, some more than others, and
 * connections may break.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from "node:net";

export interface NetworkOptions {
  /** One-way delay, in ms; the round trip takes twice as long. */
  readonly delayMs: number;
  /** Probability that a chunk, and everything after it, is delayed as by a lost packet. */
  readonly lossRate: number;
  /**
   * Time between two breaks of all connections, in ms; there are {@link MAX_BREAKS}. Default: no
   * breaks.
   */
  readonly breakIntervalMs?: number | undefined;
  readonly random: () => number;
}

/** Limited, so that a transfer that takes longer than an interval eventually succeeds. */
const MAX_BREAKS = 5;
const RETRANSMISSION_MS = 200;
/** Most bytes in flight in one direction. */
const MAX_IN_FLIGHT_BYTES = 4 * 1024 * 1024;

export class Network implements AsyncDisposable {
  readonly #options: NetworkOptions;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #breaks: NodeJS.Timeout | undefined;

  private constructor(target: string, options: NetworkOptions) {
    const colon = target.lastIndexOf(":");
    this.#target = { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };
    this.#options = options;
    this.#server = createServer((near) => this.#relay(near));
  }

  /** Opens a relay to `target` ("host:port"), which has an {@link address} of its own. */
  static async open(target: string, options: NetworkOptions): Promise<Network> {
    const network = new Network(target, options);
    network.#server.listen(0, "127.0.0.1");
    await once(network.#server, "listening");
    const { breakIntervalMs } = options;
    let breaks = 0;
    const breakSome = () => {
      if (breaks++ < MAX_BREAKS) network.breakAll();
    };
    if (breakIntervalMs !== undefined) network.#breaks = setInterval(breakSome, breakIntervalMs);
    return network;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  breakAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#breaks);
    this.breakAll();
    this.#server.close();
    await once(this.#server, "close");
  }

  #relay(near: Socket): void {
    const far = dial(this.#target);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      this.#carry(from, to);
    }
  }

  #carry(from: Socket, to: Socket): void {
    const { delayMs, lossRate, random } = this.#options;
    const underWay: { readonly chunk: Buffer; readonly arrival: number }[] = [];
    let inFlightBytes = 0;
    let arrival = 0;
    let hasEnded = false;
    let timer: NodeJS.Timeout | undefined;
    const deliver = () => {
      timer = undefined;
      while (underWay.length > 0 && underWay[0]!.arrival <= performance.now()) {
        const { chunk } = underWay.shift()!;
        to.write(chunk, () => {
          inFlightBytes -= chunk.length;
          if (inFlightBytes < MAX_IN_FLIGHT_BYTES) from.resume();
        });
      }
      if (underWay.length > 0) timer = setTimeout(deliver, Math.max(1, underWay[0]!.arrival - performance.now()));
      else if (hasEnded) to.end();
    };
    from.on("data", (chunk) => {
      const heldUpMs = random() < lossRate ? RETRANSMISSION_MS : 0;
      arrival = Math.max(arrival, performance.now() + delayMs + heldUpMs);
      underWay.push({ chunk, arrival });
      inFlightBytes += chunk.length;
      if (inFlightBytes >= MAX_IN_FLIGHT_BYTES) from.pause();
      timer ??= setTimeout(deliver, Math.max(1, arrival - performance.now()));
    });
    from.on("end", () => {
      hasEnded = true;
      timer ??= setTimeout(deliver, 1);
    });
    to.on("close", () => clearTimeout(timer));
  }
}
