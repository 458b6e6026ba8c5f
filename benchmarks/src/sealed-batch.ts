/** The batch that goes over the wire: filled with records as far as one message allows. */
import { RecordBatchBuilder } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";
import { record } from "./records.ts";

/** What the client's producer fills before it sends, and the server before it answers. */
export const MESSAGE_BYTES = 256 * 1024;

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
