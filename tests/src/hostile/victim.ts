/**
 * A well-behaved client among attackers: it continuously produces one record after another, and
 * reads each back.
 */
import { type ConnectOptions, connect, type LogClient, text } from "@logstore/client";

const TOPIC = "victim";

export class Victim {
  /** Number of records acknowledged and read back. */
  served = 0;
  /** Its failures. */
  readonly problems: string[] = [];
  readonly #client: LogClient;
  #stopping = false;
  #waiting: { until: number; resolve: () => void }[] = [];
  readonly #done: Promise<void>;

  private constructor(client: LogClient) {
    this.#client = client;
    this.#done = this.#run().catch((error: unknown) => {
      this.problems.push(String(error));
      for (const { resolve } of this.#waiting) resolve();
    });
  }

  static async start(address: string, shown: ConnectOptions): Promise<Victim> {
    const client = connect(address, shown);
    await client.createTopic(TOPIC, { partitions: 1 });
    return new Victim(client);
  }

  /**
   * Resolves when that many further records were acknowledged and read back, or a failure occurred.
   */
  servedAgain(records: number): Promise<void> {
    if (this.problems.length > 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ until: this.served + records, resolve }));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
    await this.#client.close();
  }

  async #run(): Promise<void> {
    const producer = this.#client.producer(TOPIC, { durability: "written" });
    const reader = this.#client.reader({ assign: { [TOPIC]: [0] }, value: text() });
    const records = reader[Symbol.asyncIterator]();
    while (!this.#stopping) {
      const value = String(this.served);
      const { offset } = await producer.send({ value, partition: 0 });
      const { value: record } = await records.next();
      if (record?.value !== value || record.offset !== offset || offset !== this.served) {
        throw new Error(
          `record ${value} was acknowledged at ${offset}; ${record?.value} was read at ${record?.offset}`,
        );
      }
      this.served++;
      this.#waiting = this.#waiting.filter(({ until, resolve }) => {
        if (until > this.served) return true;
        resolve();
        return false;
      });
    }
  }
}
