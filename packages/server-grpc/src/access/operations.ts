/** What can be allowed, and which call needs what. */
import type { LogApi } from "@logstore/protocol";

/** What rules permit. docs/security.md says which calls each stands for. */
export const operations = [
  "describe",
  "produce",
  "consume",
  "createTopic",
  "alterTopic",
  "deleteTopic",
  "deleteRecords",
  "snapshot",
  "restore",
  "allocateProducerId",
  "group",
] as const;

/** One of {@link operations}. */
export type Operation = (typeof operations)[number];

/**
 * The operation that each method is, on the topic or the group that it names. The gRPC methods have
 * the same names. `describeServer` needs none: limits are told to any caller that is let in.
 */
export const operationOf = {
  createTopic: "createTopic",
  listTopics: "describe",
  describeTopic: "describe",
  alterTopicConfig: "alterTopic",
  deleteTopic: "deleteTopic",
  deleteRecords: "deleteRecords",
  createSnapshot: "snapshot",
  listSnapshots: "describe",
  deleteSnapshot: "snapshot",
  // Of the topic that the snapshot is of; the new one needs createTopic.
  restoreSnapshot: "restore",
  produce: "produce",
  consume: "consume",
  fetch: "consume",
  listOffsets: "describe",
  allocateProducerId: "allocateProducerId",
  // What is read needs consume beside it: to be a member is not to be let in.
  joinGroup: "group",
  // Topics that these name have to be described, too: see visible-partitions.ts.
  commitOffsets: "group",
  fetchOffsets: "group",
  listGroups: "group",
  describeGroup: "group",
  resetOffsets: "group",
  deleteGroup: "group",
} as const satisfies Record<Exclude<keyof LogApi, "describeServer">, Operation>;

/** What is allowed along with an operation: nobody has to be told twice. */
export const impliedBy: { readonly [Name in Operation]?: readonly Operation[] } = {
  // Whoever may do something to a topic knows of it. To create one is to know of it only
  // afterwards.
  describe: ["produce", "consume", "alterTopic", "deleteTopic", "deleteRecords", "snapshot", "restore"],
  allocateProducerId: ["produce"],
};
