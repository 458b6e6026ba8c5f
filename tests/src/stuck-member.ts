/**
 * A process that is the only member of a group, takes a record and never requests the next one; it
 * reports what happens to it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@logstore/client";

const [address = "", partitionCount, seconds] = process.argv.slice(2);

const client = connect(address);
await client.listTopics(); // warms up the connection and the code
const before = process.memoryUsage.rss();
let growth = 0;
let lost = 0;
const consumer = client.consumer({
  group: "g",
  topics: ["t"],
  sessionTimeoutMs: 2_500,
  onLost: () => void lost++,
});
const records = consumer[Symbol.asyncIterator]();
await records.next();
for (let second = 0; second < Number(seconds); second++) {
  await sleep(1_000);
  growth = Math.max(growth, process.memoryUsage.rss() - before);
}
const partitions = Array.from({ length: Number(partitionCount) }, (_, partition) => partition);
const lag = partitions.reduce((sum, partition) => sum + (consumer.lag("t", partition) ?? 0), 0);
const told = { growth, lost, assigned: consumer.assignment.length, lag };
process.send!(told, () => process.exit()); // it never requests another record, so nothing waits for that
