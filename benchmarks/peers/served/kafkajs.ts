/** Kafka by kafkajs. */
import kafkajs from "kafkajs";
import type { LogConnection } from "../../src/contestants/served.ts";
import { batchedByTurns } from "./turns.ts";

const { Kafka, logLevel } = kafkajs;
const ACKS_OF_LEADER = 1;
/** The server takes requests of 1 MiB. */
const MOST_BYTES = 900_000;

export const settings =
  "acks 1; send() of 4,000 messages, one after the other, since it does not keep the order of several; eachBatch of a group, without commits, timed from when it has joined";

export async function connect(address: string): Promise<LogConnection> {
  const kafka = new Kafka({
    clientId: "benchmark",
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 10 },
  });
  const admin = kafka.admin();
  await admin.connect();
  // One a topic: a producer goes on asking for each topic it was used for, and fails once that is
  // deleted.
  const producers = new Map<string, ReturnType<typeof kafka.producer>>();
  let lastMs: number | undefined;
  const request = (topic: string, values: readonly Buffer[]) =>
    producers
      .get(topic)!
      .send({ topic, acks: ACKS_OF_LEADER, messages: values.map((value) => ({ partition: 0, value })) });
  const run = async (topic: string, use: (value: Uint8Array) => void, joined = () => {}) => {
    const consumer = kafka.consumer({ groupId: `group-of-${topic}-${performance.now()}`, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    consumer.on(consumer.events.GROUP_JOIN, joined);
    await consumer.run({
      autoCommit: false,
      async eachBatch({ batch }) {
        for (const { value } of batch.messages) use(value!);
      },
    });
    return consumer;
  };
  return {
    lastMs: () => lastMs,
    async createTopic(topic) {
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
      const producer = kafka.producer();
      producers.set(topic, producer);
      await producer.connect();
    },
    async deleteTopic(topic) {
      await producers.get(topic)?.disconnect();
      producers.delete(topic);
      await admin.deleteTopics({ topics: [topic] });
    },
    async produce(topic, source) {
      lastMs = undefined;
      for (let batch = source.next(); batch !== undefined; ) {
        const values: Buffer[] = [];
        const most = Math.min(source.inFlight * source.batch, MOST_BYTES / source.valueBytes);
        while (batch !== undefined && (values.length === 0 || values.length + source.batch <= most)) {
          values.push(...batch.values);
          batch = source.next();
        }
        await request(topic, values);
      }
    },
    async consume(topic, sink, count) {
      let start = 0;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const use = (value: Uint8Array) => {
        try {
          sink.use(value);
          if (sink.seen === count) resolve();
        } catch (error) {
          reject(error); // otherwise it would read the batch again
        }
      };
      const joined = () => {
        start = performance.now();
      };
      const consumer = await run(topic, use, joined);
      await promise;
      lastMs = performance.now() - start;
      await consumer.disconnect();
    },
    async live(topic) {
      const { send, flush } = batchedByTurns((values) => request(topic, values));
      let consumer: Awaited<ReturnType<typeof run>> | undefined;
      return {
        ...{ send, flush },
        async tail(use) {
          consumer = await run(topic, use);
        },
        close: async () => consumer?.disconnect(),
      };
    },
    async close() {
      await Promise.all([admin, ...producers.values()].map((one) => one.disconnect()));
    },
  };
}
