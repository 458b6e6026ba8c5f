/** The frame of a message in gRPC: a flag that says whether it is compressed, and its length. */

const PREFIX_BYTES = 5;

/**
 * Frames an encoded message for gRPC without a copy: the prefix is written before it, into the
 * headroom of its own batches. Returns undefined if there is no room for it.
 *
 * @param message as encoded from a message with these `batches`
 */
export function frameInPlace(
  message: Uint8Array,
  { batches, headroomBytes = 0 }: { readonly batches: Uint8Array; readonly headroomBytes?: number | undefined },
): Uint8Array | undefined {
  const freeBytes = headroomBytes - (message.length - batches.length);
  if (message.buffer !== batches.buffer || freeBytes < PREFIX_BYTES) return undefined;
  return prefixed(new Uint8Array(message.buffer, message.byteOffset - PREFIX_BYTES, PREFIX_BYTES + message.length));
}

/** Frames a copy of an encoded message. */
export function frameCopy(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(PREFIX_BYTES + message.length);
  framed.set(message, PREFIX_BYTES);
  return prefixed(framed);
}

function prefixed(framed: Uint8Array): Uint8Array {
  const view = new DataView(framed.buffer, framed.byteOffset, PREFIX_BYTES);
  view.setUint8(0, 0);
  view.setUint32(1, framed.length - PREFIX_BYTES);
  return framed;
}
