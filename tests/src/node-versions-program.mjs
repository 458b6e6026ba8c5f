/**
 * A program that uses the packages, in JavaScript because the lowest supported version of Node does
 * not run TypeScript.
 */
import { connect } from "@logstore/client";
import { LogStore } from "@logstore/core";

const text = new TextDecoder();
const store = await LogStore.open(":memory:", { compression: "zstd" });
for (const value of ["a", "b", "c"]) await store.append("key", value);
const embedded = [];
for await (const { value } of store.read(0, { from: 0 })) embedded.push(text.decode(value));
await store.close();

const client = connect(process.argv[2]);
await client.createTopic("letters", { partitions: 1 });
const producer = client.producer("letters");
for (const value of ["a", "b", "c"]) await producer.send({ key: "key", value });
const served = [];
for await (const { value } of client.reader({ assign: { letters: [0] }, from: "earliest", until: "latest" })) {
  served.push(text.decode(value));
}

// A close that is called from within what it waits for detects that; otherwise none of these would
// end.
const forEver = { timeoutMs: Infinity };
const topics = ["letters"];
const closed = [];
const looping = client.consumer({ group: "loop", topics });
async function* values() {
  for await (const { value } of looping) yield value;
}
for await (const _ of values()) {
  await looping.close(forEver);
  closed.push("loop");
}
const running = client.consumer({ group: "run", topics, commit: "manual" });
const handled = Promise.withResolvers();
await running.run({
  async eachRecord() {
    await running.commit();
    await running.close(forEver);
    closed.push("run");
    handled.resolve();
  },
});
await handled.promise;
const [committed] = await client.fetchOffsets("run");
const assigned = client.consumer({ group: "hook", topics, onAssigned: () => assigned.close(forEver) });
await assigned.run({ eachRecord: () => closed.push("too late") });
closed.push("hook");

// More long-lived streams than one connection allows. Node releases before 22.17 do not report the
// peer's limit, so that fewer are put on each connection.
const WIDE = 250;
await client.createTopic("wide", { partitions: WIDE });
const partitions = Array.from({ length: WIDE }, (_, partition) => partition);
await client.producer("wide").sendMany(partitions.map((partition) => ({ partition, value: "v" })));
const read = new Set();
const reader = client.reader({ assign: { wide: partitions }, from: "earliest" });
for await (const { partition } of reader) {
  read.add(partition);
  if (read.size === WIDE) break;
}
const { length } = await client.listTopics();
await client.close();
console.log(
  `embedded ${embedded.join(" ")}, served ${served.join(" ")}, committed ${committed.offset}, closed ${closed.join(" ")}, ` +
    `${read.size} streams beside ${length} topics`,
);
