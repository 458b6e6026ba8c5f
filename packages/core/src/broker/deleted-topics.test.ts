/** Deleted topics leave nothing in the broker's memory, however many there are. */
import { queryObjects } from "node:v8";
import { expect, onTestFinished, test } from "vitest";
import { sealed } from "../../test/records.js";
import { Broker } from "../index.js";
import { FilePartitionLog } from "../partition/file-partition-log.js";
import { Segment } from "../segment/segment.js";

test("no memory of deleted topics is kept", async () => {
  const broker = await Broker.open(":memory:");
  onTestFinished(() => broker.close());
  const use = async (topic: string) => {
    await broker.createTopic({ topic, partitions: 1 });
    await broker.produce({ topic, partition: 0, batches: sealed(["a"]) });
    const { nextOffset } = await broker.fetch({ topic, partition: 0 });
    expect(nextOffset).toBe(1);
    for await (const _ of broker.consume({ topic, partition: 0, until: "latest" }));
    await broker.deleteTopic(topic);
  };
  await use("first");
  const kept = () => [Segment, FilePartitionLog].map((type) => queryObjects(type, { format: "count" }));
  const before = kept();
  for (let i = 0; i < 20; i++) await use(`t-${i}`);
  const after = kept();
  // Values on the stack may still refer to objects of the last topic.
  for (const [i, count] of after.entries())
    expect(count - before[i]!, i === 0 ? "segments" : "partitions").toBeLessThan(5);
});
