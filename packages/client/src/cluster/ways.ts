/** Chooses the broker that a call goes to, and learns from the answers. */
import { type LogStoreError, sleep } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { settledWithin } from "../common/registry.js";
import { hasCode, isRetriable } from "../common/retry.js";
import type { GrpcLogApi } from "../grpc/grpc-log-api.js";
import type { Way } from "./owner-connection.js";
import type { OwnerConnections } from "./owner-connections.js";
import { keyOf, type Owned, type Routes } from "./routes.js";

/**
 * How long calls for what a lost owner owned wait for another one, ms; then a seed passes them on.
 */
const FIND_MS = 2_000;
/** Interval at which a seed is asked for the new owner meanwhile, ms. */
const ASK_EVERY_MS = 100;
/** Interval at which a seed is asked for the owner of what it passes on, ms. */
const ASK_AGAIN_MS = 30_000;
/** Limit of the table of what was asked for. */
const MAX_ASKED = 10_000;

export interface WaysParts {
  /** The seed, which passes calls on to owners. */
  readonly seed: GrpcLogApi;
  /** The seed, which refuses calls for what it does not own. */
  readonly strictSeed: GrpcLogApi;
  readonly owners: OwnerConnections;
  readonly routes: Routes;
  /** Aborted when the client is closed. */
  readonly closing: AbortSignal;
}

export class Ways {
  readonly #parts: WaysParts;
  /**
   * The seed as a way: the call is refused if the owner is another broker, which is learned then.
   */
  readonly #strict: Way;
  readonly #passedOn: Way;
  /** Questions under way, by key. */
  readonly #asking = new Map<string, Promise<void>>();
  /** When the owner of something was last asked for, in monotonic ms, by key; oldest first. */
  readonly #askedAt = new Map<string, number>();

  constructor(parts: WaysParts) {
    this.#parts = parts;
    this.#strict = wayOfSeed(parts.strictSeed);
    this.#passedOn = wayOfSeed(parts.seed);
  }

  /** Returns the way of a call; undefined if it is to be found. */
  now(owned: Owned): Way | undefined {
    const { routes, owners } = this.#parts;
    const address = routes.get(owned);
    if (address === undefined) return this.#strict;
    const reach = owners.at(address);
    if (reach === "connecting" || reach === "lost") return undefined;
    if (reach !== "unreachable") return reach;
    this.#askFromTimeToTime(owned);
    return this.#passedOn;
  }

  /** Waits until an owner can be reached, for a bounded time; then a seed passes the call on. */
  async find(owned: Owned): Promise<Way> {
    const { routes, owners, closing } = this.#parts;
    const end = performance.now() + FIND_MS;
    while (performance.now() < end) {
      const address = routes.get(owned);
      if (address === undefined) return this.#strict;
      const reach = owners.at(address);
      if (typeof reach === "object") return reach;
      if (reach === "unreachable") break;
      if (reach === "connecting") await owners.settled(address);
      else {
        // A seed that answers nothing does not make it longer.
        await settledWithin(this.#ask(owned), end - performance.now(), closing);
        const next = routes.get(owned);
        if (next === address) owners.retry(address); // it may have been restarted
        if (next !== undefined && owners.at(next) === "lost") await sleep(ASK_EVERY_MS, closing);
      }
    }
    return this.#passedOn;
  }

  async of(owned: Owned): Promise<Way> {
    return this.now(owned) ?? this.find(owned);
  }

  /**
   * Learns from the error of a call. Returns whether it had gone to the wrong broker, or to one
   * that cannot be reached any more.
   */
  failed(owned: Owned, way: Way, error: unknown): boolean {
    if (hasCode(error, "NOT_OWNER")) {
      this.#parts.routes.set(owned, (error as LogStoreError).address);
      return true;
    }
    if (way === this.#passedOn && isRetriable(error)) void this.#ask(owned);
    return way.isAway;
  }

  #askFromTimeToTime(owned: Owned): void {
    const key = keyOf(owned);
    if (performance.now() - (this.#askedAt.get(key) ?? Number.NEGATIVE_INFINITY) > ASK_AGAIN_MS) void this.#ask(owned);
  }

  /** Asks a seed for the owner, by a call that only the owner answers. */
  #ask(owned: Owned): Promise<void> {
    const key = keyOf(owned);
    const asking = this.#asking.get(key) ?? this.#askNow(owned).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #askNow(owned: Owned): Promise<void> {
    const { strictSeed, routes } = this.#parts;
    this.#noteAsked(keyOf(owned));
    try {
      await ownerOnlyCall(strictSeed, owned);
      routes.set(owned, undefined); // the seed owns it
    } catch (error) {
      if (hasCode(error, "NOT_OWNER")) routes.set(owned, (error as LogStoreError).address);
      else if (hasCode(error, "UNKNOWN_GROUP")) routes.set(owned, undefined); // as its coordinator says
    }
  }

  #noteAsked(key: string): void {
    this.#askedAt.delete(key);
    if (this.#askedAt.size >= MAX_ASKED) {
      const [oldest] = this.#askedAt.keys();
      this.#askedAt.delete(oldest!);
    }
    this.#askedAt.set(key, performance.now());
  }
}

/** Makes a call that changes nothing. */
async function ownerOnlyCall(log: LogApi, owned: Owned): Promise<void> {
  if ("group" in owned) await log.describeGroup(owned.group);
  else await log.listOffsets({ topic: owned.topic, partitions: [{ partition: owned.partition, position: "latest" }] });
}

function wayOfSeed(log: LogApi): Way {
  return { log, isAway: false, enter() {}, leave() {} };
}
