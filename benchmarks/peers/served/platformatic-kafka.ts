/** Kafka by @platformatic/kafka. */
import { Admin, Consumer, MessagesStreamModes, Producer } from "@platformatic/kafka";
import type { LogConnection } from "../../src/contestants/served.ts";
import { sendInFlight } from "./in-flight.ts";
import { batchedByTurns } from "./turns.ts";

const ACKS_OF_LEADER = 1;

export const settings =
  "acks 1; send() of 1,000 messages, 4 in flight; a consumer of a group, without commits, timed from when it has joined";

export async function connect(address: string): Promise<LogConnection> {
  const base = { clientId: "benchmark", bootstrapBrokers: [address] };
  const admin = new Admin(base);
  const producer = new Producer({ ...base, acks: ACKS_OF_LEADER });
  let lastMs: number | undefined;
  const request = (topic: string, values: readonly Buffer[]) =>
    producer.send({ messages: values.map((value) => ({ topic, partition: 0, value })) });
  const consumerOf = async (topic: string) => {
    const consumer = new Consumer({ ...base, groupId: `group-of-${topic}-${performance.now()}` });
    const options = { topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false, maxWaitTime: 100 };
    return { consumer, messages: await consumer.consume(options) };
  };
  return {
    lastMs: () => lastMs,
    async createTopic(topic) {
      await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    },
    deleteTopic: (topic) => admin.deleteTopics({ topics: [topic] }),
    async produce(topic, source) {
      lastMs = undefined;
      await sendInFlight(source, ({ values }) => request(topic, values));
    },
    async consume(topic, sink, count) {
      const { consumer, messages } = await consumerOf(topic);
      const start = performance.now();
      for await (const { value } of messages) {
        sink.use(value);
        if (sink.seen === count) break;
      }
      lastMs = performance.now() - start;
      await consumer.close(true);
    },
    async live(topic) {
      const { consumer, messages } = await consumerOf(topic);
      const { fail, send, flush } = batchedByTurns((values) => request(topic, values));
      return {
        ...{ send, flush },
        async tail(use) {
          messages.on("data", ({ value }) => use(value)).on("error", fail);
        },
        close: () => consumer.close(true),
      };
    },
    async close() {
      await producer.close();
      await admin.close();
    },
  };
}
