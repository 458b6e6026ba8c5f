/**
 * JetStream: one value a message, as its users do, or the values of a batch packed into one, or of
 * several batches, with one message in flight, as the JetStream engine of LogStore does it.
 */
import { DeliverPolicy, jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect as connectTo } from "@nats-io/transport-node";
import type { ClientOptions, LogConnection } from "../../src/contestants/served.ts";
import type { Batch, Source } from "../../src/contestants/values.ts";
import { sendInFlight } from "./in-flight.ts";

const LENGTH_BYTES = 4;
const MESSAGES_PER_PULL = 5_000;
/** Together as large as what the engine writes at once: at most 1 MiB. */
const BATCHES_PER_MESSAGE = 7;

export const settings =
  "publish() of 1,000 messages at once, 4 times in flight (packed: a message per 1,000 values); an ordered consumer that pulls 5,000 messages";

export async function connect(address: string, { way }: ClientOptions): Promise<LogConnection> {
  const servers = address.split(",");
  const connection = await connectTo({ servers });
  const stream = jetstream(connection);
  const manager = await jetstreamManager(connection);
  const isOneInFlight = way === "one in flight";
  const isPacked = way === "packed" || isOneInFlight;
  const consumerOf = (topic: string) => stream.consumers.get(topic, { deliver_policy: DeliverPolicy.All });
  return {
    async createTopic(topic) {
      const replicas = { num_replicas: servers.length };
      await manager.streams.add({ name: topic, subjects: [topic], storage: StorageType.File, ...replicas });
    },
    deleteTopic: async (topic) => void (await manager.streams.delete(topic)),
    async produce(topic, source) {
      if (isOneInFlight) return publishOneByOne(source, (body) => stream.publish(topic, body));
      await sendInFlight(source, (batch) =>
        isPacked
          ? stream.publish(topic, pack(batch))
          : Promise.all(batch.values.map((value) => stream.publish(topic, value))),
      );
    },
    async consume(topic, sink, count) {
      const consumer = await consumerOf(topic);
      const messages = await consumer.consume({ max_messages: isPacked ? 64 : MESSAGES_PER_PULL });
      for await (const { data } of messages) {
        if (isPacked) unpack(data, sink.use);
        else sink.use(data);
        if (sink.seen === count) break;
      }
      await messages.close();
    },
    ...(isPacked
      ? {}
      : {
          async live(topic: string) {
            const messages = await (await consumerOf(topic)).consume({ max_messages: MESSAGES_PER_PULL });
            let failure: unknown;
            let sent: Promise<unknown> = Promise.resolve();
            const fail = (error: unknown) => {
              failure ??= error;
            };
            return {
              send(value: Buffer) {
                sent = stream.publish(topic, value).catch(fail);
              },
              async tail(use: (value: Uint8Array) => void) {
                void (async () => {
                  for await (const { data } of messages) use(data);
                })().catch(fail);
              },
              async flush() {
                await sent;
                if (failure !== undefined) throw failure;
              },
              close: async () => void (await messages.close()),
            };
          },
        }),
    close: () => connection.close(),
  };
}

async function publishOneByOne(source: Source, publish: (body: Buffer) => Promise<unknown>): Promise<void> {
  let bodies: Buffer[] = [];
  for (let batch = source.next(); batch !== undefined; batch = source.next()) {
    bodies.push(pack(batch));
    if (bodies.length < BATCHES_PER_MESSAGE) continue;
    await publish(Buffer.concat(bodies));
    bodies = [];
  }
  if (bodies.length > 0) await publish(Buffer.concat(bodies));
}

/** The values one after another, each after its length. */
function pack({ values }: Batch): Buffer {
  const bytes = Buffer.allocUnsafe(values.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const value of values) {
    bytes.writeUInt32LE(value.length, at);
    bytes.set(value, at + LENGTH_BYTES);
    at += LENGTH_BYTES + value.length;
  }
  return bytes;
}

function unpack(data: Uint8Array, use: (value: Uint8Array) => void): void {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let at = 0; at < data.length; ) {
    const end = at + LENGTH_BYTES + view.getUint32(at, true);
    use(data.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
}
