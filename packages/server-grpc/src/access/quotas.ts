/** The quotas of principals. */
import { QuotaExceededError, startTimer } from "@logstore/codec";
import { ANONYMOUS, EVERY, type QuotaConfig } from "./access-config.js";
import { BoundedMap } from "./bounded-map.js";
import { TokenBucket } from "./token-bucket.js";

/** Size of the usage records, of which the least recently used are evicted first. */
const MAX_REMEMBERED_BYTES = 16 * 1024 * 1024;
/** Size of a quota with its buckets. */
const QUOTA_BYTES = 1_000;

/** Smallest read when little of the quota is left. */
const MIN_READ_BYTES = 16 * 1024;

/** Longest sleep, because a timer has a limit; it is repeated as needed. */
const MAX_SLEEP_MS = 60_000;

/** The time, and waiting for it. */
export interface Clock {
  /** ms; never goes back. */
  now(): number;
  /** Ends early, without an error, if `signal` aborts. */
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
   * Quotas of callers without credentials, in a separate map: they may come from any number of
   * addresses, and must not evict those of others.
   */
  readonly #byAddress = new BoundedMap<Quota>(MAX_REMEMBERED_BYTES / 4, QUOTA_BYTES);

  /**
   * @param maxWaitingBytes size of each principal's appends that may wait in memory for its quota
   */
  constructor(config: readonly QuotaConfig[], maxWaitingBytes: number, clock: Clock) {
    this.#config = config;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#clock = clock;
  }

  /**
   * The quota of a principal, or of callers without credentials at one address; "*" applies to
   * both. Undefined if there is no limit.
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

/** The quota of one principal, for everything that it does. */
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

  /** Counts one more call. @throws QuotaExceededError */
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
  /** Bytes reserved by reads in progress. */
  #reservedBytes = 0;
  #settled = Promise.withResolvers<void>();

  constructor(bytesPerSecond: number, maxWaitingBytes: number, clock: Clock) {
    this.#bucket = new TokenBucket(bytesPerSecond, clock.now);
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#clock = clock;
  }

  /** Negative bytes are credited. */
  take(bytes: number): void {
    this.#bucket.take(bytes);
  }

  /**
   * Reserves up to `wantedBytes`, but at least `leastBytes` or a small read, which may exceed what
   * is left. Returns the number of bytes reserved; 0 if nothing is left. The actual use is reported
   * to {@link settle}.
   */
  reserve(wantedBytes: number, leastBytes: number): number {
    if (this.isExhausted) return 0;
    const leftBytes = Math.max(MIN_READ_BYTES, Math.floor(this.#bucket.level));
    const bytes = Math.max(leastBytes, Math.min(wantedBytes, leftBytes));
    this.take(bytes);
    this.#reservedBytes += bytes;
    return bytes;
  }

  /** Replaces a reservation by the actual use. */
  settle(reservedBytes: number, usedBytes: number): void {
    this.take(usedBytes - reservedBytes);
    this.#reservedBytes -= reservedBytes;
    this.#settled.resolve();
    this.#settled = Promise.withResolvers();
  }

  /** Resolves when a reservation is settled; undefined if that cannot make more available. */
  settling(): Promise<void> | undefined {
    return this.#bucket.level + this.#reservedBytes > 0 ? this.#settled.promise : undefined;
  }

  get isExhausted(): boolean {
    return this.#bucket.waitMs() > 0;
  }

  /** Resolves when something is left, or `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    for (let waitMs = this.#bucket.waitMs(); waitMs > 0 && !signal.aborted; waitMs = this.#bucket.waitMs()) {
      await this.#clock.sleep(Math.min(waitMs, MAX_SLEEP_MS), signal);
    }
  }

  /**
   * The bytes count as waiting until {@link stopWaiting}.
   *
   * @throws QuotaExceededError if so much of the principal is waiting already that others would
   * have no memory left
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
   * Takes the bytes when something is left. Of several waiting callers, one proceeds at a time.
   * Returns false if `signal` aborted first.
   */
  async takeLater(bytes: number, signal: AbortSignal): Promise<boolean> {
    while (this.isExhausted && !signal.aborted) await this.wait(signal);
    if (signal.aborted) return false;
    this.take(bytes);
    return true;
  }

  /** For a call that cannot be delayed. @throws QuotaExceededError */
  check(): void {
    const waitMs = this.#bucket.waitMs();
    if (waitMs > 0) throw exceeded("bytes a second", waitMs);
  }
}

function exceeded(what: string, retryAfterMs: number): QuotaExceededError {
  return new QuotaExceededError(`the quota of ${what} is exhausted: retry in ${retryAfterMs} ms`, { retryAfterMs });
}
