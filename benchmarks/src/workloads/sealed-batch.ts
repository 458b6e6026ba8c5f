/** The batch that is sent over the wire: filled with as many records as fit into one message. */
import { RecordBatchBuilder } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";
import { MESSAGE_BYTES } from "../contestants/bare-grpc.ts";
import { record } from "./records.ts";

export interface SealedBatch {
  readonly batch: Uint8Array;
  readonly sealedBytes: number;
  readonly recordsPerMessage: number;
}

export function sealedBatch(): SealedBatch {
  const builder = new RecordBatchBuilder({
    targetBytes: MESSAGE_BYTES,
    expectedBytes: MESSAGE_BYTES,
    headroomBytes: PRODUCE_HEADROOM_BYTES,
  });
  let recordsPerMessage = 0;
  while (builder.append(record.key, record.value, record.timestamp)) recordsPerMessage++;
  const batch = builder.seal();
  return { batch, sealedBytes: batch.length, recordsPerMessage };
}
