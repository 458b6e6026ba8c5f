import type { ConsumeEvent } from "@logstore/protocol";
import { countDelivered, type TopicTraffic, type Traffic } from "./traffic.js";

/** The events of a consume call, counted as they pass. One is with the peer until the next is asked for. */
export class DeliveredEvents implements AsyncIterableIterator<ConsumeEvent> {
  readonly #events: AsyncIterator<ConsumeEvent>;
  readonly #topic: string;
  readonly #traffic: Traffic;
  #deliveringBytes = 0;
  /** Taken once: what is delivered after the topic was deleted makes no counts anew, which would be kept for good. */
  #counts: TopicTraffic | undefined;

  constructor(events: AsyncIterable<ConsumeEvent>, topic: string, traffic: Traffic) {
    this.#events = events[Symbol.asyncIterator]();
    this.#topic = topic;
    this.#traffic = traffic;
  }

  async next(): Promise<IteratorResult<ConsumeEvent>> {
    this.#delivering(0);
    const result = await this.#events.next();
    if (!result.done && result.value.type === "batches") {
      const { batches } = result.value;
      this.#delivering(batches.length);
      this.#counts ??= this.#traffic.of(this.#topic);
      countDelivered(this.#counts, batches);
    }
    return result;
  }

  async return(): Promise<IteratorResult<ConsumeEvent>> {
    this.#delivering(0);
    return (await this.#events.return?.()) ?? { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #delivering(bytes: number): void {
    this.#traffic.deliveringBytes += bytes - this.#deliveringBytes;
    this.#deliveringBytes = bytes;
  }
}
