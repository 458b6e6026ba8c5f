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
/**
 * A request to pull that is lost between two servers is made again after some heartbeats, two of
 * which are sent in this time. The default is 30 s.
 */
const PULL_EXPIRES_MS = 5_000;
/** Together as large as what the engine writes at once: at most 1 MiB. */
const BATCHES_PER_MESSAGE = 7;

export const settings =
  "publish() of 1,000 messages at once, 4 times in flight (packed: a message per 1,000 values, packed before); an ordered consumer that pulls 5,000 messages";

export async function connect(address: string, { way }: ClientOptions): Promise<LogConnection> {
  const servers = address.split(",");
  const connection = await connectTo({ servers });
  const stream = jetstream(connection);
  const manager = await jetstreamManager(connection);
  const isOneInFlight = way === "one in flight";
  const isPacked = way === "packed" || isOneInFlight;
  const consumerOf = (topic: string) => stream.consumers.get(topic, { deliver_policy: DeliverPolicy.All });
  const produce = (topic: string, source: Source) =>
    sendInFlight(source, ({ values }) => Promise.all(values.map((value) => stream.publish(topic, value))));
  const prepare = (topic: string, source: Source) => {
    const bodies = isOneInFlight ? joined([...packed(source)]) : [...packed(source)];
    return () => publishInFlight(bodies, isOneInFlight ? 1 : source.inFlight, (body) => stream.publish(topic, body));
  };
  return {
    async createTopic(topic) {
      const replicas = { num_replicas: servers.length };
      await manager.streams.add({ name: topic, subjects: [topic], storage: StorageType.File, ...replicas });
    },
    deleteTopic: async (topic) => void (await manager.streams.delete(topic)),
    produce: isPacked ? (topic, source) => prepare(topic, source)() : produce,
    ...(isPacked && { prepare }),
    async consume(topic, sink, count) {
      const consumer = await consumerOf(topic);
      const messages = await consumer.consume({
        max_messages: isPacked ? 64 : MESSAGES_PER_PULL,
        expires: PULL_EXPIRES_MS,
      });
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

async function publishInFlight(
  bodies: readonly Buffer[],
  inFlight: number,
  publish: (body: Buffer) => Promise<unknown>,
): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  for (const body of bodies) {
    underWay.push(publish(body));
    if (underWay.length >= inFlight) await underWay.shift();
  }
  await Promise.all(underWay);
}

function joined(bodies: readonly Buffer[]): Buffer[] {
  const count = Math.ceil(bodies.length / BATCHES_PER_MESSAGE);
  const each = Array.from({ length: count }, (_, i) => i * BATCHES_PER_MESSAGE);
  return each.map((from) => Buffer.concat(bodies.slice(from, from + BATCHES_PER_MESSAGE)));
}

function* packed(source: Source): Generator<Buffer, void> {
  for (let batch = source.next(); batch !== undefined; batch = source.next()) yield pack(batch);
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
