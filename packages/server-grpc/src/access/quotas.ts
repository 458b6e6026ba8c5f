/** How much each principal may do. */
import { setTimeout } from "node:timers/promises";
import { QuotaExceededError } from "@logstore/codec";
import type { QuotaConfig } from "./access-config.js";
import { BoundedMap } from "./bounded-map.js";
import { names } from "./rules.js";
import { TokenBucket } from "./token-bucket.js";

/** Principals whose use is remembered. Whoever has done nothing for longest is forgotten first, and with it what it used. */
const MAX_PRINCIPALS = 10_000;

/** A timer cannot be set for ever ahead, and nobody minds one that is set again. */
const MAX_SLEEP_MS = 60_000;

/** The time, and waiting for it. */
export interface Clock {
  /** ms, never going back. */
  now(): number;
  /** Ends early, and quietly, when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal, ref: false }).catch(() => {}),
};

export class Quotas {
  readonly #config: readonly QuotaConfig[];
  readonly #clock: Clock;
  readonly #byPrincipal = new BoundedMap<string, Quota>(MAX_PRINCIPALS);

  constructor(config: readonly QuotaConfig[], clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** Undefined where there is no limit. */
  of(principal: string): Quota | undefined {
    const known = this.#byPrincipal.get(principal);
    if (known) return known;
    const config = this.#config.find(({ principals }) => names(principals, principal));
    if (!config) return undefined;
    const quota = new Quota(config, this.#clock);
    this.#byPrincipal.set(principal, quota);
    return quota;
  }
}

/** Of one principal, over all that it does. */
export class Quota {
  readonly produce: ByteQuota | undefined;
  readonly consume: ByteQuota | undefined;
  readonly connections: number | undefined;
  readonly #requests: TokenBucket | undefined;

  constructor(config: QuotaConfig, clock: Clock) {
    const { produceBytesPerSecond, consumeBytesPerSecond, requestsPerSecond, connections } = config;
    this.produce = produceBytesPerSecond === undefined ? undefined : new ByteQuota(produceBytesPerSecond, clock);
    this.consume = consumeBytesPerSecond === undefined ? undefined : new ByteQuota(consumeBytesPerSecond, clock);
    this.connections = connections;
    this.#requests = requestsPerSecond === undefined ? undefined : new TokenBucket(requestsPerSecond, clock.now);
  }

  /** One more call. @throws QuotaExceededError */
  beginCall(): void {
    const waitMs = this.#requests?.waitMs(1) ?? 0;
    if (waitMs > 0) throw exceeded("calls a second", waitMs);
    this.#requests?.take(1);
  }
}

export class ByteQuota {
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bucket = new TokenBucket(bytesPerSecond, clock.now);
    this.#clock = clock;
  }

  take(bytes: number): void {
    this.#bucket.take(bytes);
  }

  get isExhausted(): boolean {
    return this.#bucket.waitMs() > 0;
  }

  /** Resolves when there is something left, or `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    for (let waitMs = this.#bucket.waitMs(); waitMs > 0 && !signal.aborted; waitMs = this.#bucket.waitMs()) {
      await this.#clock.sleep(Math.min(waitMs, MAX_SLEEP_MS), signal);
    }
  }

  /** Takes them when there is something left. Of many that wait, one goes on at a time. False where `signal` aborted first. */
  async takeLater(bytes: number, signal: AbortSignal): Promise<boolean> {
    while (this.isExhausted && !signal.aborted) await this.wait(signal);
    if (signal.aborted) return false;
    this.take(bytes);
    return true;
  }

  /** For a call that cannot be slowed down. @throws QuotaExceededError */
  check(): void {
    const waitMs = this.#bucket.waitMs();
    if (waitMs > 0) throw exceeded("bytes a second", waitMs);
  }
}

function exceeded(what: string, retryAfterMs: number): QuotaExceededError {
  return new QuotaExceededError(`the quota of ${what} is used up: go on in ${retryAfterMs} ms`, { retryAfterMs });
}
