import { writeServerHalf } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";

/**
 * A sealed batch to be sent again. The first bytes that were sent belong to the log, which may
 * still look at them, and has written its offsets into them.
 */
export function copyOfSealed(sealed: Uint8Array): Uint8Array {
  const batch = new Uint8Array(PRODUCE_HEADROOM_BYTES + sealed.length).subarray(PRODUCE_HEADROOM_BYTES);
  batch.set(sealed);
  writeServerHalf(batch, { baseOffset: 0, appendTime: 0, flushedUpTo: 0 });
  return batch;
}
