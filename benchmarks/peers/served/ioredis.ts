/** Redis Streams by ioredis. */
import { Redis } from "ioredis";
import type { LogConnection } from "../../src/contestants/served.ts";
import { sendInFlight } from "./in-flight.ts";

const ENTRIES_PER_READ = 1_000;

export const settings = "a pipeline of XADDs per 1,000 values, 4 in flight; XRANGE of 1,000 entries, as buffers";

type Entry = [id: Buffer, fields: [name: Buffer, value: Buffer]];

export async function connect(address: string): Promise<LogConnection> {
  const [host, port] = address.split(":");
  const options = { host: host!, port: Number(port) };
  const redis = new Redis(options);
  await redis.ping();
  return {
    async createTopic() {},
    deleteTopic: async (topic) => void (await redis.del(topic)),
    produce: (topic, source) =>
      sendInFlight(source, async ({ values }) => {
        const pipeline = redis.pipeline();
        for (const value of values) pipeline.xadd(topic, "*", "v", value);
        const failed = (await pipeline.exec())?.find(([error]) => error !== null);
        if (failed) throw failed[0];
      }),
    async consume(topic, { use }) {
      for (let from = "-"; ; ) {
        const entries = (await redis.xrangeBuffer(topic, from, "+", "COUNT", ENTRIES_PER_READ)) as unknown as Entry[];
        for (const [, [, value]] of entries) use(value);
        if (entries.length < ENTRIES_PER_READ) return;
        from = `(${entries.at(-1)![0]}`;
      }
    },
    async live(topic) {
      const [producer, reader] = [new Redis({ ...options, enableAutoPipelining: true }), new Redis(options)];
      let failure: unknown;
      let sent: Promise<unknown> = Promise.resolve();
      let isOver = false;
      const fail = (error: unknown) => {
        if (!isOver) failure ??= error;
      };
      return {
        send(value) {
          sent = producer.xadd(topic, "*", "v", value).catch(fail);
        },
        async tail(use) {
          void (async () => {
            for (let last = "0"; !isOver; ) {
              const read = await reader.xreadBuffer("COUNT", ENTRIES_PER_READ, "BLOCK", 0, "STREAMS", topic, last);
              for (const [, entries] of (read ?? []) as unknown as [Buffer, Entry[]][]) {
                for (const [, [, value]] of entries) use(value);
                last = String(entries.at(-1)![0]);
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
          reader.disconnect();
          producer.disconnect();
        },
      };
    },
    async close() {
      redis.disconnect();
    },
  };
}
