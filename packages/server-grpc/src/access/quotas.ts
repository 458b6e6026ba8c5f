/** How much each principal may do. */
import { QuotaExceededError, startTimer } from "@logstore/codec";
import { ANONYMOUS, EVERY, type QuotaConfig } from "./access-config.js";
import { BoundedMap } from "./bounded-map.js";
import { TokenBucket } from "./token-bucket.js";

/**
 * What is remembered of who used how much. Whoever has done nothing for longest is forgotten first.
 */
const MAX_REMEMBERED_BYTES = 16 * 1024 * 1024;
/** A quota with its buckets. */
const QUOTA_BYTES = 1_000;

/** Readers are not made to read a few bytes at a time where little of the quota is left. */
const MIN_READ_BYTES = 16 * 1024;

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
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = () => {
        timer.cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = startTimer(ms, end, { keepsAlive: false });
      signal.addEventListener("abort", end);
    }),
};

export class Quotas {
  readonly #config: readonly QuotaConfig[];
  readonly #maxWaitingBytes: number;
  readonly #clock: Clock;
  readonly #byPrincipal = new BoundedMap<Quota>(MAX_REMEMBERED_BYTES, QUOTA_BYTES);
  /**
   * Of those without credentials: they may come from any number of addresses, and push out nobody
   * who has some.
   */
  readonly #byAddress = new BoundedMap<Quota>(MAX_REMEMBERED_BYTES / 4, QUOTA_BYTES);

  /**
   * @param maxWaitingBytes of each principal's appends that wait for its quota, which are held in
   * memory
   */
  constructor(config: readonly QuotaConfig[], maxWaitingBytes: number, clock: Clock) {
    this.#config = config;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#clock = clock;
  }

  /**
   * Of a principal, and of those without credentials at one address; "*" means both. Undefined
   * where there is no limit.
   *
   * @param address "10.0.0.7"
   */
  of(principal: string, address: string): Quota | undefined {
    const [quotas, name] = principal === ANONYMOUS ? [this.#byAddress, address] : [this.#byPrincipal, principal];
    const known = quotas.get(name);
    if (known) return known;
    const config = this.#config.find(({ principals }) => principals.includes(principal) || principals.includes(EVERY));
    if (!config) return undefined;
    const quota = new Quota(config, this.#maxWaitingBytes, this.#clock);
    quotas.set(name, quota);
    return quota;
  }
}

/** Of one principal, over all that it does. */
export class Quota {
  readonly produce: ByteQuota | undefined;
  readonly consume: ByteQuota | undefined;
  readonly connections: number | undefined;
  readonly #requests: TokenBucket | undefined;

  constructor(config: QuotaConfig, maxWaitingBytes: number, clock: Clock) {
    const { produceBytesPerSecond, consumeBytesPerSecond, requestsPerSecond, connections } = config;
    const bytes = (perSecond: number | undefined) =>
      perSecond === undefined ? undefined : new ByteQuota(perSecond, maxWaitingBytes, clock);
    this.produce = bytes(produceBytesPerSecond);
    this.consume = bytes(consumeBytesPerSecond);
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
  readonly #maxWaitingBytes: number;
  readonly #clock: Clock;
  #waitingBytes = 0;
  /** Taken by reads that are under way. */
  #reservedBytes = 0;
  #settled = Promise.withResolvers<void>();

  constructor(bytesPerSecond: number, maxWaitingBytes: number, clock: Clock) {
    this.#bucket = new TokenBucket(bytesPerSecond, clock.now);
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#clock = clock;
  }

  /** Negative bytes are given back. */
  take(bytes: number): void {
    this.#bucket.take(bytes);
  }

  /**
   * Takes as many of `wantedBytes` as are left, and no fewer than `leastBytes` or a small read,
   * which may go beyond. Returns how many; 0 where nothing is left. Until {@link settle} says so it
   * is not known how much of that is used.
   */
  reserve(wantedBytes: number, leastBytes: number): number {
    if (this.isExhausted) return 0;
    const leftBytes = Math.max(MIN_READ_BYTES, Math.floor(this.#bucket.level));
    const bytes = Math.max(leastBytes, Math.min(wantedBytes, leftBytes));
    this.take(bytes);
    this.#reservedBytes += bytes;
    return bytes;
  }

  /** Of the bytes that were reserved, so many are settled: this is what was used. */
  settle(reservedBytes: number, usedBytes: number): void {
    this.take(usedBytes - reservedBytes);
    this.#reservedBytes -= reservedBytes;
    this.#settled.resolve();
    this.#settled = Promise.withResolvers();
  }

  /** Resolves when something is settled; undefined where no more could be left then. */
  settling(): Promise<void> | undefined {
    return this.#bucket.level + this.#reservedBytes > 0 ? this.#settled.promise : undefined;
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

  /**
   * They are held until {@link stopWaiting}.
   *
   * @throws QuotaExceededError where the principal has so much waiting already that others would be
   * left no memory
   */
  beginWaiting(bytes: number): void {
    if (this.#waitingBytes + bytes > this.#maxWaitingBytes) {
      throw exceeded("bytes a second, and as much waits for it as may", Math.max(1, this.#bucket.waitMs()));
    }
    this.#waitingBytes += bytes;
  }

  stopWaiting(bytes: number): void {
    this.#waitingBytes -= bytes;
  }

  /**
   * Takes them when there is something left. Of many that wait, one goes on at a time. False where
   * `signal` aborted first.
   */
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
