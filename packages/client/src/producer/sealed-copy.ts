import { writeServerHalf } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";

/**
 * Copies a sealed batch to send it again. The bytes of the first attempt belong to the log, which
 * may still read them and has written offsets into them.
 */
export function copyOfSealed(sealed: Uint8Array): Uint8Array {
  const batch = new Uint8Array(PRODUCE_HEADROOM_BYTES + sealed.length).subarray(PRODUCE_HEADROOM_BYTES);
  batch.set(sealed);
  writeServerHalf(batch, { baseOffset: 0, appendTime: 0, flushedUpTo: 0 });
  return batch;
}
