/** Topics with the largest number of partitions, their snapshots, and many topics. */
import type { Stranger } from "../../hostile/stranger.ts";
import { call, createTopic, type LargeRequest, produce, some, times } from "../request.ts";
import { smallest } from "./appends.ts";

/** Partitions per topic, and positions per look-up, which are the limits. */
const MANY = 10_000;
const TOPICS = 2_000;
const LATEST = { edge: 2 };

const admin = (stranger: Stranger, method: string, fields: object) =>
  call(stranger, `AdminService/${method}`, `${method}Request`, fields);

const snapshot = (i: number) => ({ topic: "many", snapshot: `snapshot-${i}` });

export const topics: readonly LargeRequest[] = [
  {
    name: "CreateTopic of 10,000 partitions",
    run: (stranger) => createTopic(stranger, "many", MANY),
  },
  {
    name: "DescribeTopic of 10,000 partitions, 30 at once",
    run: (stranger) => times(30, () => admin(stranger, "DescribeTopic", { topic: "many" })),
  },
  {
    name: "ListOffsets of 10,000 partitions",
    run: (stranger) => listOffsets(stranger),
  },
  {
    name: "ListOffsets of 10,000 partitions, 10 at once",
    run: (stranger) => times(10, () => listOffsets(stranger)),
  },
  {
    name: "AlterTopicConfig of 10,000 partitions, 10 at once",
    run: (stranger) =>
      times(10, (i) => admin(stranger, "AlterTopicConfig", { topic: "many", set: { retentionMs: 1_000_000 + i } })),
  },
  {
    name: "CreateSnapshot of 10,000 partitions",
    run: (stranger) => admin(stranger, "CreateSnapshot", snapshot(0)),
  },
  {
    name: "ListSnapshots of 5 times 10,000 partitions, 5 at once",
    async prepare(stranger) {
      for (let i = 1; i < 5; i++) await admin(stranger, "CreateSnapshot", snapshot(i));
    },
    run: (stranger) => times(5, () => admin(stranger, "ListSnapshots", { topic: "many" })),
  },
  {
    name: "RestoreSnapshot of 10,000 partitions",
    run: (stranger) => admin(stranger, "RestoreSnapshot", { ...snapshot(0), newTopic: "again" }),
  },
  {
    name: "DeleteSnapshot of 10,000 partitions",
    run: (stranger) => admin(stranger, "DeleteSnapshot", snapshot(0)),
  },
  {
    name: "DeleteTopic of 10,000 partitions",
    run: (stranger) => admin(stranger, "DeleteTopic", { topic: "again" }),
  },
  {
    name: "DeleteRecords of 200 segments",
    async prepare(stranger) {
      await admin(stranger, "CreateTopic", { topic: "one", partitions: 1, config: { segmentBytes: 100_000 } });
      const batches = Buffer.concat(Array(1_400).fill(smallest()));
      for (let i = 0; i < 200; i++) await produce(stranger, batches);
    },
    run: (stranger) => admin(stranger, "DeleteRecords", { topic: "one", before: LATEST }),
  },
  {
    name: "ListTopics of 2,000 topics, 20 at once",
    async prepare(stranger) {
      const names = Array.from({ length: TOPICS }, (_, i) => `topic-${i}`);
      await some(20, names, (topic) => createTopic(stranger, topic, 1));
    },
    run: (stranger) => times(20, () => admin(stranger, "ListTopics", {})),
  },
  {
    name: "DescribeServer, 100 at once",
    run: (stranger) => times(100, () => admin(stranger, "DescribeServer", {})),
  },
];

function listOffsets(stranger: Stranger): Promise<void> {
  const partitions = Array.from({ length: MANY }, (_, partition) => ({ partition, position: LATEST }));
  return call(stranger, "LogService/ListOffsets", "ListOffsetsRequest", { topic: "many", partitions });
}
