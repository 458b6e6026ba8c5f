/** Appends of one call, charged to the quota of its caller. */
import { declaredCounts, UnavailableError } from "@logstore/codec";
import type { LogApi, ProduceAck, ProduceRequest } from "@logstore/protocol";
import type { Caller, Held } from "./caller.js";
import type { ByteQuota } from "./quotas.js";

/**
 * Compressed records count as this part of their uncompressed length at least: the server
 * uncompresses and checks each of them.
 */
const UNPACKED_SHARE = 1 / 10;

function chargedBytes(batches: Uint8Array): number {
  return Math.max(batches.length, declaredCounts(batches).recordsBytes * UNPACKED_SHARE);
}

/**
 * The permission that a stream of appends depends on; a constant, because it is set again with each
 * request.
 */
const SOME_PRODUCE: Held = { operation: "produce" };

export class ChargedAppends {
  readonly #api: LogApi;
  readonly #caller: Caller;
  /** The last append that waits for the quota, if any. */
  #lastWaiting: Promise<unknown> | undefined;

  constructor(api: LogApi, caller: Caller) {
    this.#api = api;
    this.#caller = caller;
  }

  /**
   * Appends at once, in the order of the calls, unless the quota is used up: then a request of a
   * stream waits for it.
   *
   * @throws QuotaExceededError if a single request exceeds the quota
   */
  async produce(request: ProduceRequest): Promise<ProduceAck> {
    const { facts, quota } = this.#caller;
    if (facts.isStreaming) this.#caller.hold(SOME_PRODUCE);
    const bytes = quota?.produce;
    if (!bytes) return this.#api.produce(request);
    if (!facts.isStreaming) bytes.check();
    else if (this.#lastWaiting || bytes.isExhausted) return this.#produceLater(request, bytes);
    bytes.take(chargedBytes(request.batches));
    return this.#api.produce(request);
  }

  /**
   * Appends after the requests that wait already, when the quota allows it. Waiting requests are
   * not acknowledged, so that their stream soon reads no more of them. A principal with many
   * streams has a bounded number of bytes waiting, which leaves memory to others; beyond that,
   * requests are refused.
   */
  async #produceLater(request: ProduceRequest, bytes: ByteQuota): Promise<ProduceAck> {
    const { signal } = this.#caller;
    const { length } = request.batches;
    bytes.beginWaiting(length);
    const started = Promise.resolve(this.#lastWaiting).then(async () => {
      const allowed = await bytes
        .takeLater(chargedBytes(request.batches), signal)
        .finally(() => bytes.stopWaiting(length));
      if (!allowed) throw new UnavailableError("the call ended before its quota allowed the append");
      return { ack: this.#api.produce(request) };
    });
    const waiting = started.then(
      ({ ack }) => void ack.catch(() => {}), // reported by the await below
      () => {},
    );
    this.#lastWaiting = waiting;
    try {
      return await (await started).ack;
    } finally {
      if (this.#lastWaiting === waiting) this.#lastWaiting = undefined;
    }
  }
}
