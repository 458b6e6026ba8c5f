/**
 * Sends sealed batches as fast as the server acknowledges them, until it is told to stop; then
 * reports its rate, in MB/s.
 */
import { connect, GrpcLogApi } from "@logstore/client";
import { RecordBatchBuilder } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";

const [address, topic, batchBytes] = process.argv.slice(2) as [string, string, string];
const UNACKED_BYTES = 16 * 1024 * 1024;
const MIB = 1024 * 1024;

await using client = connect(address);
// Old records are deleted, so that the disk does not fill up.
const config = { durability: "written", segmentBytes: 64 * MIB, retentionBytes: 128 * MIB } as const;
await client.createTopic(topic, { partitions: 1, ...config });
const api = new GrpcLogApi(address);
let isOver = false;
process.once("message", () => (isOver = true));
process.send!("begun");

const unackedBatches = Math.max(2, Math.floor(UNACKED_BYTES / Number(batchBytes)));
const underWay = new Set<Promise<unknown>>();
let bytes = 0;
const begun = performance.now();
while (!isOver) {
  const batches = sealedBatch();
  bytes += batches.length;
  const ack = api.produce({ topic, partition: 0, batches, headroomBytes: PRODUCE_HEADROOM_BYTES });
  const settled = ack.finally(() => underWay.delete(settled));
  underWay.add(settled);
  if (underWay.size >= unackedBatches) await Promise.race(underWay);
}
await Promise.all(underWay);
process.send!(bytes / 1e3 / (performance.now() - begun));
api.close();
process.disconnect();

/** A new batch for each call, because a call takes over its bytes. */
function sealedBatch(): Uint8Array {
  const bytes = Number(batchBytes);
  const builder = new RecordBatchBuilder({
    targetBytes: bytes,
    expectedBytes: bytes,
    headroomBytes: PRODUCE_HEADROOM_BYTES,
  });
  const value = new Uint8Array(1_000);
  while (builder.append(null, value, 0));
  return builder.seal();
}
