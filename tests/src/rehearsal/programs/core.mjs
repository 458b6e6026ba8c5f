/** Core alone: appends, reads, and finds everything again after it was closed. */
import { LogStore } from "@logstore/core";

const directory = `logs-${Math.random().toString(36).slice(2)}`;
const options = { partitions: 2, compression: "gzip" };
let store = await LogStore.open(directory, options);
const ack = await store.append("key", "Hello");
await store.appendMany(ack.partition, [{ key: "key", value: "World" }]);
await store.close();
store = await LogStore.open(directory, options);
const values = [];
for await (const { value } of store.read(ack.partition, { from: 0 })) values.push(new TextDecoder().decode(value));
await store.close();
console.log(`${values.join(" ")}, ${ack.durability}`);
