/**
 * A process that is a member of a group and writes down each record before it requests the next:
 * time, partition, offset, key and value, one line each. It uses the machine's clock, so that the
 * lines of several members can be put in order.
 */
import { openSync, writeSync } from "node:fs";
import { connect, text } from "@logstore/client";

const [address = "", file = "", sessionTimeoutMs] = process.argv.slice(2);
const log = openSync(file, "a");

const client = connect(address);
const consumer = client.consumer({
  group: "g",
  topics: ["t"],
  clientId: `process ${process.pid}`,
  sessionTimeoutMs: Number(sessionTimeoutMs),
  commitIntervalMs: 200,
  key: text(),
  value: text(),
});
process.on("SIGTERM", () => void consumer.close());
for await (const { partition, offset, key, value } of consumer) {
  writeSync(log, `${process.hrtime.bigint()} ${partition} ${offset} ${key} ${value}\n`);
}
await client.close();
