/** The limit of a served log: grpc-js moves as many bytes in messages of the same size. */
import { BareClient, MESSAGE_BYTES, RESPONSE_BYTES } from "./bare-grpc.ts";
import type { ClientOptions, LogConnection } from "./served.ts";
import type { Source } from "./values.ts";

/** What a record of our format adds to its value, nearly. */
const RECORD_OVERHEAD_BYTES = 4;

/** Of the values whose latency is measured: nothing in the messages says it. */
const LIVE_VALUE_BYTES = 100;

export const settings =
  `messages of ${MESSAGE_BYTES / 1024} KiB, received ones of ${RESPONSE_BYTES / 1024} KiB, windows and V8 flags as LogStore's; ` +
  "latencies: a message of all values that wait is sent when the one before is acknowledged";

export async function connect(address: string, { certificate }: ClientOptions): Promise<LogConnection> {
  const bare = new BareClient(Number(address.split(":").at(-1)), certificate);
  let valueBytes = 0;
  return {
    async createTopic() {},
    async deleteTopic() {},
    async produce(_topic, source: Source) {
      valueBytes = source.valueBytes;
      await bare.upload(MESSAGE_BYTES, messagesOf(source.count, valueBytes, MESSAGE_BYTES));
    },
    async consume(_topic, sink, count) {
      await bare.download(RESPONSE_BYTES, messagesOf(count, valueBytes, RESPONSE_BYTES));
      sink.seen = count;
    },
    async live() {
      const live = bare.live();
      return {
        send: (value) => live.send(value),
        tail: (use) => live.tail(LIVE_VALUE_BYTES, use),
        flush: () => live.flush(),
        close: async () => live.close(),
      };
    },
    async close() {
      bare.close();
    },
  };
}

function messagesOf(count: number, valueBytes: number, messageBytes: number): number {
  return Math.ceil((count * (valueBytes + RECORD_OVERHEAD_BYTES)) / messageBytes);
}
