/** Calls that name a topic: one for each method that does no harm to others. */
import { smallBatch } from "../raw-batch.ts";
import { encode } from "../stranger.ts";

export interface Call {
  /** "/logstore.v1.LogService/Produce" */
  readonly path: string;
  readonly request: Buffer;
}

/** @param method "LogService/Produce" */
export function call(method: string, message: string, fields: object): Call {
  return { path: `/logstore.v1.${method}`, request: encode(message, fields) };
}

export function callsOf(topic: string): Call[] {
  return [
    call("AdminService/CreateTopic", "CreateTopicRequest", { topic, partitions: 1 }),
    call("AdminService/DescribeTopic", "DescribeTopicRequest", { topic }),
    call("AdminService/AlterTopicConfig", "AlterTopicConfigRequest", { topic, set: { retentionMs: 1 } }),
    call("AdminService/DeleteTopic", "DeleteTopicRequest", { topic }),
    call("AdminService/DeleteRecords", "DeleteRecordsRequest", { topic, before: { offset: 0 } }),
    call("AdminService/CreateSnapshot", "CreateSnapshotRequest", { topic, snapshot: "s" }),
    call("AdminService/DeleteSnapshot", "DeleteSnapshotRequest", { topic, snapshot: "s" }),
    call("AdminService/RestoreSnapshot", "RestoreSnapshotRequest", { topic, snapshot: "s", newTopic: topic }),
    call("LogService/Produce", "ProduceRequest", { topic, batches: smallBatch() }),
    call("LogService/Fetch", "FetchRequest", { topic }),
    call("LogService/Consume", "ConsumeRequest", { topic, until: { edge: 2 } }),
    call("LogService/ListOffsets", "ListOffsetsRequest", { topic, partitions: [{ position: { edge: 1 } }] }),
  ];
}
