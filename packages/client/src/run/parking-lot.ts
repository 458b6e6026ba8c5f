import { ClosedError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import type { Registry } from "../common/registry.js";
import { hasCode } from "../common/retry.js";
import { Producer } from "../producer/producer.js";
import type { ConsumerRecord } from "../reader/consumer-record.js";
import { type Failure, parkedForms, parkedTopic } from "./parked-record.js";

/**
 * Parks records of a group, each in the parked topic of its own topic. The parked topic is created
 * when it is needed.
 */
export class ParkingLot {
  readonly #api: LogApi;
  readonly #group: string;
  readonly #registry: Registry;
  readonly #producers = new Map<string, Promise<Producer<Uint8Array>>>();
  readonly #opened: Producer<Uint8Array>[] = [];
  #isClosed = false;

  /** @throws InvalidArgumentError where the name of a parked topic would be too long */
  constructor(
    api: LogApi,
    { group, topics }: { readonly group: string; readonly topics: readonly string[] },
    registry: Registry,
  ) {
    this.#api = api;
    this.#registry = registry;
    this.#group = group;
    for (const topic of topics) parkedTopic(topic, group);
  }

  /**
   * Parks a record, without its value if it is too large. Resolves when it is durable in the parked
   * topic.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError where the parked topic was deleted
   * meanwhile: the next call creates it again
   */
  async park(record: ConsumerRecord<Uint8Array, Uint8Array>, failure: Failure): Promise<void> {
    const topic = parkedTopic(record.topic, this.#group);
    const opened = this.#producer(topic);
    const producer = await opened;
    let tooLarge: unknown;
    for (const form of parkedForms(record, failure, Date.now())) {
      try {
        await producer.send(form);
        return;
      } catch (error) {
        if (hasCode(error, "UNKNOWN_TOPIC")) this.#forget(topic, opened);
        if (!hasCode(error, "RECORD_TOO_LARGE") && !hasCode(error, "BATCH_TOO_LARGE")) throw error;
        tooLarge = error;
      }
    }
    throw tooLarge;
  }

  /** Closes the producers at once. Records that are not parked yet are given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#opened.splice(0).map((producer) => producer.close({ timeoutMs: 0 })));
  }

  #producer(topic: string): Promise<Producer<Uint8Array>> {
    let producer = this.#producers.get(topic);
    if (producer === undefined) {
      const opening = this.#open(topic);
      opening.catch(() => this.#forget(topic, opening)); // the next parked record tries again
      this.#producers.set(topic, opening);
      producer = opening;
    }
    return producer;
  }

  /** Has the parked topic created again, unless that was done for another record. */
  #forget(topic: string, producer: Promise<Producer<Uint8Array>>): void {
    if (this.#producers.get(topic) === producer) this.#producers.delete(topic);
  }

  async #open(topic: string): Promise<Producer<Uint8Array>> {
    try {
      await this.#api.describeTopic(topic);
    } catch (error) {
      if (!hasCode(error, "UNKNOWN_TOPIC")) throw error;
      // One partition, so that records are listed and replayed in the order in which they were
      // parked.
      await this.#api.createTopic({ topic, partitions: 1 }).catch((error: unknown) => {
        if (!hasCode(error, "TOPIC_EXISTS")) throw error;
      });
    }
    if (this.#isClosed) throw new ClosedError("the run is over", { topic });
    const producer = new Producer<Uint8Array>(this.#api, topic, {}, this.#registry, { isStrongest: true });
    this.#opened.push(producer);
    return producer;
  }
}
