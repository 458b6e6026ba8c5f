/** A process that reads one batch per second and reports the largest growth of its memory. */
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@logstore/client";

const [address = "", partitionCount, seconds] = process.argv.slice(2);
const partitions = Array.from({ length: Number(partitionCount) }, (_, partition) => partition);

const client = connect(address);
await client.listTopics(); // warms up the connection and the code
const before = process.memoryUsage.rss();
let most = 0;
const batches = client.reader({ assign: { t: partitions } }).batches();
for (let second = 0; second < Number(seconds); second++) {
  if ((await batches.next()).done) throw new Error("the backlog ended");
  await sleep(1_000);
  most = Math.max(most, process.memoryUsage.rss() - before);
}
await client.close();
process.send?.(most);
process.disconnect();
