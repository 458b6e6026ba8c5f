import type { ConsumeEvent } from "@logstore/protocol";
import type { HeldCounts, Traffic } from "./traffic.js";

/**
 * Counts the events of a Consume call as they pass. An event is being delivered until the next one
 * is requested.
 */
export class DeliveredEvents implements AsyncIterableIterator<ConsumeEvent> {
  readonly #events: AsyncIterator<ConsumeEvent>;
  readonly #topic: string;
  readonly #traffic: Traffic;
  #deliveringBytes = 0;
  /** Held from the first event requested to the last one. */
  #counts: HeldCounts | undefined;

  constructor(events: AsyncIterable<ConsumeEvent>, topic: string, traffic: Traffic) {
    this.#events = events[Symbol.asyncIterator]();
    this.#topic = topic;
    this.#traffic = traffic;
  }

  async next(): Promise<IteratorResult<ConsumeEvent>> {
    this.#delivering(0);
    this.#counts ??= this.#traffic.begin(this.#topic);
    let result: IteratorResult<ConsumeEvent>;
    try {
      result = await this.#events.next();
    } catch (error) {
      this.#end();
      throw error;
    }
    if (result.done) this.#end();
    else if (result.value.type === "batches" && this.#counts !== undefined) {
      const { batches } = result.value;
      this.#delivering(batches.length);
      this.#traffic.delivered(this.#topic, this.#counts, batches);
    }
    return result;
  }

  async return(): Promise<IteratorResult<ConsumeEvent>> {
    this.#delivering(0);
    this.#end();
    return (await this.#events.return?.()) ?? { done: true, value: undefined };
  }

  #end(): void {
    if (this.#counts === undefined) return;
    this.#traffic.end(this.#topic, this.#counts);
    this.#counts = undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #delivering(bytes: number): void {
    this.#traffic.deliveringBytes += bytes - this.#deliveringBytes;
    this.#deliveringBytes = bytes;
  }
}
