/**
 * Programs that the compiler must accept or reject. The type check of the package reads this file:
 * an `@ts-expect-error` above a line that compiles is an error. Nothing here runs, except for the
 * test that says so.
 */
import type { LogApi } from "@logstore/protocol";
import { expectTypeOf, test } from "vitest";
import { flights } from "../test/schema.js";
import {
  type AppendAck,
  type CommittedOffset,
  type ConnectOptions,
  type Consumer,
  type ConsumerBatch,
  type ConsumerOptions,
  type ConsumerRecord,
  connect,
  json,
  type LogClient,
  type Producer,
  type Reader,
  type ReaderOptions,
  type SendManyResult,
  type TopicDescription,
  text,
} from "./index.js";

interface Flight {
  carrier: string;
  delay: number;
}

declare const client: LogClient;
declare const broker: LogApi;

export function producers(): void {
  expectTypeOf(client.producer("t")).toEqualTypeOf<Producer<string | Uint8Array>>();
  expectTypeOf(client.producer("t", { lingerMs: 5 })).toEqualTypeOf<Producer<string | Uint8Array>>();
  expectTypeOf(client.producer("t", { value: json<Flight>() })).toEqualTypeOf<Producer<Flight>>();
  expectTypeOf(client.producer("t", { schema: flights }).send)
    .parameter(0)
    .toHaveProperty("value");
  expectTypeOf(client.producer<string>("t", {})).toEqualTypeOf<Producer<string>>(); // strings need no serializer
  // @ts-expect-error no format for objects
  client.producer<Flight>("t");
  // @ts-expect-error no format for objects
  client.producer<Flight>("t", { lingerMs: 5 });
  // @ts-expect-error the format is for other values
  client.producer<Flight>("t", { value: text() });
  // @ts-expect-error misspelt
  client.producer("t", { linger: 5 });
  // @ts-expect-error an object to a producer of bytes
  client.producer("t").send({ value: { carrier: "UA", delay: 5 } });
  expectTypeOf(client.producer("t").send).returns.resolves.toEqualTypeOf<AppendAck>();
  expectTypeOf(client.producer("t").sendMany).returns.resolves.toEqualTypeOf<SendManyResult>();
}

export function appends(): void {
  expectTypeOf(client.append("t", 0, [{ value: "a" }])).resolves.toEqualTypeOf<AppendAck>();
  client.append("t", 0, [{ value: new Uint8Array(1) }], { expectedOffset: 5 });
  client.append("t", 0, [{ value: { carrier: "UA", delay: 5 } }], { value: json<Flight>() });
  client.append("t", 0, [{ value: { carrier: "UA", delay: 5 } }], { schema: flights, expectedOffset: 5 });
  // @ts-expect-error no format for objects
  client.append("t", 0, [{ value: { carrier: "UA", delay: 5 } }]);
  // @ts-expect-error no format for objects
  client.append("t", 0, [{ value: { carrier: "UA", delay: 5 } }], { expectedOffset: 5 });
  // @ts-expect-error the partition is the argument's
  client.append("t", 0, [{ value: "a", partition: 1 }]);
  // @ts-expect-error misspelt
  client.append("t", 0, [{ value: "a" }], { expectedOfset: 5 });
  expectTypeOf<AppendAck>().toHaveProperty("nextOffset").toEqualTypeOf<number>();
}

export function readers(): void {
  expectTypeOf(client.reader({ topics: ["t"] })).toEqualTypeOf<Reader<Uint8Array, Uint8Array>>();
  expectTypeOf(client.reader({ assign: { t: [0] }, value: json<Flight>(), key: text() })).toEqualTypeOf<
    Reader<Flight, string>
  >();
  expectTypeOf(client.reader({ topics: ["t"], schema: flights }).close()).toEqualTypeOf<Promise<void>>();
  const chunks = client.reader({ topics: ["t"], value: json<Flight>(), key: text() }).chunks();
  expectTypeOf(chunks.next).returns.resolves.toEqualTypeOf<
    IteratorResult<ConsumerRecord<Flight, string>[], undefined>
  >();
  // @ts-expect-error no format for objects
  client.reader<Flight>({ topics: ["t"] });
  // @ts-expect-error no format for keys
  client.reader<Uint8Array, string>({ topics: ["t"] });
  // @ts-expect-error the variable's type is no reason to trust the bytes
  const flightReader: Reader<Flight> = client.reader({ topics: ["t"] });
  // @ts-expect-error neither partitions nor topics
  client.reader({});
  // @ts-expect-error partitions or topics
  client.reader({ assign: { t: [0] }, topics: ["t"] });
  // @ts-expect-error readers are in no group
  client.reader({ group: "g", topics: ["t"] });
  const options: ReaderOptions<Flight> = { assign: { t: [0] }, value: json<Flight>() };
  return void [flightReader, options];
}

export function consumers(consumer: Consumer<Flight>): void {
  expectTypeOf(client.consumer({ group: "g", topics: ["t"] })).toEqualTypeOf<Consumer<Uint8Array, Uint8Array>>();
  expectTypeOf(client.consumer({ group: "g", topics: ["t"], value: json<Flight>() })).toEqualTypeOf<Consumer<Flight>>();
  expectTypeOf(client.consumer({ group: "g", topics: ["t"], key: text() })).toEqualTypeOf<
    Consumer<Uint8Array, string>
  >();
  // @ts-expect-error no format for objects
  client.consumer<Flight>({ group: "g", topics: ["t"] });
  // @ts-expect-error no format for keys
  client.consumer<Flight, string>({ group: "g", topics: ["t"], value: json<Flight>() });
  // @ts-expect-error the group assigns the partitions
  client.consumer({ assign: { t: [0] } });
  // @ts-expect-error misspelt
  client.consumer({ group: "g", topics: ["t"], sesionTimeoutMs: 5 });
  expectTypeOf(consumer.chunks().next).returns.resolves.toEqualTypeOf<
    IteratorResult<ConsumerRecord<Flight>[], undefined>
  >();
  expectTypeOf(consumer.close({ timeoutMs: 5, leave: true })).toEqualTypeOf<Promise<void>>();
}

/** A library that passes its caller's format on. */
export function generic<T>(options: ConsumerOptions<T> & { value: NonNullable<ConsumerOptions<T>["value"]> }) {
  return client.consumer<T>(options);
}

export function commits(
  consumer: Consumer<Flight>,
  record: ConsumerRecord<Flight>,
  batch: ConsumerBatch<Flight, Uint8Array>,
  committed: CommittedOffset,
): void {
  expectTypeOf(consumer.commit()).toEqualTypeOf<Promise<void>>();
  consumer.commit(record);
  consumer.commit(batch, "metadata");
  consumer.commit("t", 0, 5, "metadata");
  // @ts-expect-error an offset that is committed is one past its record
  consumer.commit(committed);
  // @ts-expect-error an offset alone
  consumer.commit(5);
}

export function connections(options: ConnectOptions): void {
  expectTypeOf(connect("localhost", { tls: true, token: "t" })).toEqualTypeOf<LogClient>();
  connect("localhost", options);
  connect(broker);
  // @ts-expect-error a broker in this process takes no options
  connect(broker, { tls: true });
  // @ts-expect-error misspelt
  connect("localhost", { timeout: 5 });
}

export function topics(): void {
  expectTypeOf(client.ensureTopic("t")).resolves.toEqualTypeOf<TopicDescription>();
  client.ensureTopic("t", { partitions: 4, retentionMs: 5, durability: "flushed" });
  // @ts-expect-error misspelt
  client.ensureTopic("t", { partition: 4 });
  // @ts-expect-error no such durability
  client.ensureTopic("t", { durability: "fsync" });
  // @ts-expect-error a new topic has a number of partitions
  client.createTopic("t", {});
  expectTypeOf(client.fetchOffsets("g")).resolves.toEqualTypeOf<CommittedOffset[]>();
  client.producer("t", { compression: "lz4-of-mine" }); // the codec may be registered
}

test("the types above are checked by the compiler", () => {});
