/** Two producers that write to all partitions, and a group of three consumers that reads them. */
import { type Consumer, connect, json, type LogClient, type Producer } from "@logstore/client";
import { sleep } from "../processes/child.ts";
import type { Ledger } from "./ledger.ts";

export const TOPIC = "payments";
export const GROUP = "accounts";
export const PARTITIONS = 8;
const PRODUCERS = 2;
const MEMBERS = 3;
/** Time between two records of a partition, ms. */
const PACE_MS = 20;

interface Payment {
  /** Counts the records of its partition. */
  readonly number: number;
  readonly cents: number;
}
const value = json<Payment>();

export class Traffic {
  readonly #ledger: Ledger;
  readonly #clients: readonly LogClient[];
  readonly #producers: readonly Producer<Payment>[];
  readonly #consumers: readonly Consumer<Payment, Uint8Array>[];
  /** The next number of each partition. */
  readonly #next = new Array<number>(PARTITIONS).fill(0);
  readonly #consuming: Promise<unknown>;
  readonly #sends = new Set<Promise<void>>();
  #producing: Promise<unknown>;
  #isOver = false;
  /** Rejects if something fails for good. */
  readonly failed: Promise<never>;

  /** @param addresses of brokers; any of them may be down */
  constructor(addresses: readonly string[], ledger: Ledger) {
    this.#ledger = ledger;
    const client = () => connect([...addresses], { onEvent() {} }); // that brokers are down is shown anyway
    this.#clients = Array.from({ length: PRODUCERS + MEMBERS }, client);
    const writing = this.#clients.slice(0, PRODUCERS);
    this.#producers = writing.map((each) => each.producer(TOPIC, { value, deliveryTimeoutMs: 600_000 }));
    this.#consumers = this.#clients
      .slice(PRODUCERS)
      .map((each) =>
        each.consumer({ group: GROUP, topics: [TOPIC], value, from: "earliest", commitIntervalMs: 1_000 }),
      );
    this.#producing = Promise.all(this.#next.map((_, partition) => this.#produce(partition)));
    this.#consuming = Promise.all(this.#consumers.map((consumer) => this.#consume(consumer)));
    this.failed = Promise.all([this.#producing, this.#consuming]).then(() => new Promise<never>(() => {}));
    this.failed.catch(() => {}); // reported to whoever awaits it
  }

  /** The number that the next record of each partition gets. */
  get next(): readonly number[] {
    return [...this.#next];
  }

  /** Resolves when everything that was sent is acknowledged. */
  async stopProducing(): Promise<void> {
    this.#isOver = true;
    await this.#producing;
    await Promise.all(this.#sends);
    await Promise.all(this.#producers.map((producer) => producer.close()));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#consumers.map((consumer) => consumer.close()));
    await Promise.allSettled([this.#consuming]);
    await Promise.allSettled(this.#clients.map((client) => client.close({ timeoutMs: 1_000 })));
  }

  async #produce(partition: number): Promise<void> {
    const producer = this.#producers[partition % PRODUCERS]!;
    await sleep((PACE_MS / PARTITIONS) * partition);
    while (!this.#isOver) {
      const number = this.#next[partition]!++;
      const sent = producer.send({ partition, value: { number, cents: (number * 37) % 10_000 } });
      const acked = sent.then(({ offset }) => this.#ledger.acked(partition, number, offset));
      this.#sends.add(acked);
      acked.then(
        () => this.#sends.delete(acked),
        () => {},
      ); // a failure is reported by stopProducing
      await sleep(PACE_MS);
    }
  }

  async #consume(consumer: Consumer<Payment, Uint8Array>): Promise<void> {
    for await (const record of consumer) this.#ledger.delivered(record.partition, record.value.number);
  }
}

/** Reads the whole topic; returns the numbers of each partition's records by their offset. */
export async function readWholly(client: LogClient): Promise<number[][]> {
  const numbers = Array.from({ length: PARTITIONS }, (): number[] => []);
  const reader = client.reader({ topics: [TOPIC], until: "latest", value });
  for await (const { partition, offset, value } of reader) numbers[partition]![offset] = value.number;
  return numbers;
}
