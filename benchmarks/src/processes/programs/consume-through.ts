/**
 * Consumes a topic from start to end and samples its own memory:
 * `consume-through.ts ADDRESS TOPIC`.
 */
import { connect } from "@logstore/client";

export interface ConsumeThroughReport {
  readonly records: number;
  readonly ms: number;
  /** When connected, before the first record. */
  readonly idleBytes: number;
  /** At equal steps of the log. */
  readonly rssBytes: readonly number[];
}

const SAMPLES = 400;
const [address, topic] = process.argv.slice(2) as [string, string];
const client = connect(address);
const { partitions } = await client.describeTopic(topic);
const step = partitions[0]!.highWatermark / SAMPLES;
const idleBytes = process.memoryUsage.rss();
const rssBytes: number[] = [];
let records = 0;
let valueBytes = 0;
const start = performance.now();
for await (const batch of client.reader({ assign: { [topic]: [0] }, until: "latest" }).batches()) {
  for (const { value } of batch) valueBytes += value.length;
  records = batch.nextOffset;
  if (records >= (rssBytes.length + 1) * step) rssBytes.push(process.memoryUsage.rss());
}
if (valueBytes === 0) throw new Error("nothing was consumed");
const report: ConsumeThroughReport = { records, ms: performance.now() - start, idleBytes, rssBytes };
await client.close();
console.log(JSON.stringify(report));
