/** Producers, a reader and a group at work, while a cluster is disturbed. */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type LogClient, text } from "@logstore/client";
import type { Durability } from "@logstore/protocol";
import type { History } from "./history.ts";

export const TOPIC = "t";
export const PARTITIONS = 2;
/** Between the sends of a producer, unless it hurries. */
const PAUSE_MS = 600;
const HURRY_MS = 20;
const CATCH_UP_MS = 90_000;

export class Workload {
  readonly #clients: readonly LogClient[];
  readonly #history: History;
  readonly #durability: Durability;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>[] = [];
  /** By producer: when the send that was acknowledged last began. */
  readonly #sentAt: number[] = [];
  readonly #ackedAt: number[] = [];
  #longestPauseMs = 0;
  #isHurrying = false;

  /** @param durability that each acknowledgement must state */
  private constructor(addresses: readonly string[], history: History, durability: Durability) {
    // Each client begins with another broker.
    this.#clients = addresses.map((_, i) =>
      connect([...addresses.slice(i), ...addresses.slice(0, i)], { onEvent: () => {} }),
    );
    this.#history = history;
    this.#durability = durability;
  }

  static async start(addresses: readonly string[], history: History, durability: Durability): Promise<Workload> {
    const workload = new Workload(addresses, history, durability);
    await workload.#clients[0]!.createTopic(TOPIC, { partitions: PARTITIONS });
    for (const client of workload.#clients) {
      for (let partition = 0; partition < PARTITIONS; partition++)
        workload.#run(workload.#produce(client, partition, workload.#running.length));
      workload.#run(workload.#consume(client));
    }
    workload.#run(workload.#read(workload.#clients.at(-1)!));
    return workload;
  }

  get client(): LogClient {
    return this.#clients[0]!;
  }

  /** The longest time between two acknowledgements of a producer since the last call, in ms. */
  takeLongestPause(): number {
    const longest = this.#longestPauseMs;
    this.#longestPauseMs = 0;
    return longest;
  }

  /** Makes the producers send one record after another, so that some are under way. */
  hurry(isHurrying: boolean): void {
    this.#isHurrying = isHurrying;
  }

  /** Resolves when each producer has sent a record after this call, and it was acknowledged. */
  async goesOn(timeoutMs = CATCH_UP_MS): Promise<void> {
    const since = performance.now();
    const isSo = () => this.#sentAt.every((sentAt) => sentAt > since);
    await this.#until(isSo, timeoutMs, "the producers do not go on");
  }

  /** Resolves when everything that is acknowledged was read, and delivered to the group. */
  async isRead(): Promise<void> {
    await this.#until(() => this.#history.isCaughtUp, CATCH_UP_MS, "the reader or the group does not go on");
  }

  /** Sends records from a client to all partitions until it is told to stop. */
  async sendThrough(client: LogClient, name: string, isOver: () => boolean): Promise<void> {
    const producer = client.producer(TOPIC, { value: text() });
    for (let n = 0; !isOver(); n++) {
      const partition = n % PARTITIONS;
      const value = `${name}.${n}`;
      const { offset } = await producer.send({ partition, value });
      this.#history.acked(value, partition, offset);
      await sleep(HURRY_MS);
    }
    await producer.close();
  }

  /** Ends the work; then compares the log with what was seen of it. */
  async finish(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const reader = this.client.reader({ assign: { [TOPIC]: [partition] }, until: "latest", value: text() });
      this.#history.compare(partition, await Array.fromAsync(reader));
    }
    this.#history.checkOrder();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#clients.map((client) => client.close({ timeoutMs: 2_000 })));
  }

  #run(work: Promise<void>): void {
    const { signal } = this.#stop;
    const done = work.catch((error: unknown) => {
      if (!signal.aborted) this.#history.problem("other", `a client gave up: ${error}`);
    });
    this.#running.push(done);
  }

  async #produce(client: LogClient, partition: number, producer: number): Promise<void> {
    const sender = client.producer(TOPIC, { value: text() });
    const at = this.#sentAt.push(0) - 1;
    this.#ackedAt[at] = performance.now();
    let n = 0;
    const send = async (sentAt: number) => {
      const value = `p${producer}.${n++}`;
      const { offset, durability } = await sender.send({ key: `p${producer}`, partition, value });
      this.#history.acked(value, partition, offset);
      if (durability !== this.#durability) this.#history.problem("other", `${value} is only ${durability}`);
      this.#sentAt[at] = sentAt;
    };
    while (!this.#stop.signal.aborted) {
      const now = performance.now();
      await Promise.all(Array.from({ length: 2 }, () => send(now)));
      const acked = performance.now();
      this.#longestPauseMs = Math.max(this.#longestPauseMs, acked - this.#ackedAt[at]!);
      this.#ackedAt[at] = acked;
      await sleep(this.#isHurrying ? HURRY_MS : PAUSE_MS);
    }
    await sender.close();
  }

  async #consume(client: LogClient): Promise<void> {
    const { signal } = this.#stop;
    const consumer = client.consumer({ group: "g", topics: [TOPIC], value: text(), commitIntervalMs: 2_000, signal });
    for await (const { partition, offset, value } of consumer) this.#history.delivered(partition, offset, value);
  }

  async #read(client: LogClient): Promise<void> {
    const { signal } = this.#stop;
    const reader = client.reader({ topics: [TOPIC], value: text(), signal });
    for await (const { partition, offset, value } of reader) this.#history.read(partition, offset, value);
  }

  async #until(isTrue: () => boolean, timeoutMs: number, otherwise: string): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!isTrue()) {
      if (performance.now() > deadline) throw new Error(`${otherwise} for ${timeoutMs / 1000} s`);
      await sleep(25);
    }
  }
}
