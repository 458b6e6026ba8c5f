/** The operations that rules permit, and the operation of each call. */
import type { LogApi } from "@logstore/protocol";

/** The operations that rules permit. docs/security.md lists the calls of each. */
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

/** An element of {@link operations}. */
export type Operation = (typeof operations)[number];

/**
 * The operation of each method, on the topic or group that it names. The gRPC methods have the same
 * names. `describeServer` needs no permission: every admitted caller may learn the limits.
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
  // On the topic of the snapshot; the new topic needs createTopic.
  restoreSnapshot: "restore",
  produce: "produce",
  consume: "consume",
  fetch: "consume",
  listOffsets: "describe",
  allocateProducerId: "allocateProducerId",
  // Reading needs `consume` in addition: membership alone does not permit it.
  joinGroup: "group",
  // The topics that these name must be described, too; see visible-partitions.ts.
  commitOffsets: "group",
  fetchOffsets: "group",
  listGroups: "group",
  describeGroup: "group",
  resetOffsets: "group",
  deleteGroup: "group",
} as const satisfies Record<Exclude<keyof LogApi, "describeServer">, Operation>;

/** Operations that another one implies. */
export const impliedBy: { readonly [Name in Operation]?: readonly Operation[] } = {
  // A permission on a topic implies the permission to know of it. For createTopic that holds only
  // once the topic exists.
  describe: ["produce", "consume", "alterTopic", "deleteTopic", "deleteRecords", "snapshot", "restore"],
  allocateProducerId: ["produce"],
};
