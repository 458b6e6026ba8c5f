/** Redis Streams by node-redis. */
import { createClient, RESP_TYPES } from "redis";
import type { LogConnection } from "../../src/contestants/served.ts";
import { sendInFlight } from "./in-flight.ts";

const ENTRIES_PER_READ = 1_000;

export const settings = "XADDs of 1,000 values at once, pipelined, 4 in flight; XRANGE of 1,000 entries, as buffers";

export async function connect(address: string): Promise<LogConnection> {
  const url = `redis://${address}`;
  const client = createClient({ url });
  await client.connect();
  const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    async createTopic() {},
    deleteTopic: async (topic) => void (await client.del(topic)),
    produce: (topic, source) =>
      sendInFlight(source, ({ values }) => Promise.all(values.map((v) => client.xAdd(topic, "*", { v })))),
    async consume(topic, { use }) {
      for (let from = "-"; ; ) {
        const entries = (await buffers.xRange(topic, from, "+", { COUNT: ENTRIES_PER_READ })) ?? [];
        for (const { message } of entries) use(message["v"]!);
        if (entries.length < ENTRIES_PER_READ) return;
        from = `(${entries.at(-1)!.id}`;
      }
    },
    async live(topic) {
      const producer = createClient({ url });
      const consumer = createClient({ url });
      await Promise.all([producer.connect(), consumer.connect()]);
      const reader = consumer.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      let failure: unknown;
      let sent: Promise<unknown> = Promise.resolve();
      let isOver = false;
      const fail = (error: unknown) => {
        if (!isOver) failure ??= error;
      };
      return {
        send(v) {
          sent = producer.xAdd(topic, "*", { v }).catch(fail);
        },
        async tail(use) {
          void (async () => {
            for (let id = "0"; !isOver; ) {
              const read = await reader.xRead({ key: topic, id }, { COUNT: ENTRIES_PER_READ, BLOCK: 0 });
              for (const { messages } of read ?? []) {
                for (const { message } of messages) use(message["v"]!);
                id = String(messages.at(-1)!.id);
              }
            }
          })().catch(fail);
        },
        async flush() {
          await sent;
          if (failure !== undefined) throw failure;
        },
        async close() {
          isOver = true;
          consumer.destroy();
          producer.destroy();
        },
      };
    },
    async close() {
      client.destroy();
    },
  };
}
