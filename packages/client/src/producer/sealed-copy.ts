import { InternalError, writeServerHalf } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";

/**
 * Copies a sealed batch to send it again. The bytes of the first attempt belong to the log, which
 * may still read them and has written offsets into them.
 *
 * @throws InternalError if the log has freed them
 */
export function copyOfSealed(sealed: Uint8Array): Uint8Array {
  if (sealed.length === 0) {
    throw new InternalError(
      "the log has freed a batch whose acknowledgement was lost, so that it cannot be sent again: " +
        "a LogApi that may lose the acknowledgement of another one passes on isOwned: false",
    );
  }
  const batch = new Uint8Array(PRODUCE_HEADROOM_BYTES + sealed.length).subarray(PRODUCE_HEADROOM_BYTES);
  batch.set(sealed);
  writeServerHalf(batch, { baseOffset: 0, appendTime: 0, flushedUpTo: 0 });
  return batch;
}
