import type { TopicPartition } from "@logstore/protocol";

/** Limits that keep a request below the server's 1 MiB, even with long names and ids. */
const MAX_ENTRIES = 2000;
const MAX_METADATA_LENGTH = 64 * 1024;

/**
 * Splits entries into pieces for one request each. Without entries, the result is one empty piece.
 */
export function inPieces<Entry extends TopicPartition & { readonly metadata?: string | undefined }>(
  entries: readonly Entry[],
): Entry[][] {
  const pieces: Entry[][] = [];
  let piece: Entry[] = [];
  let length = 0;
  for (const entry of entries) {
    const more = entry.metadata?.length ?? 0;
    if (piece.length === MAX_ENTRIES || (piece.length > 0 && length + more > MAX_METADATA_LENGTH)) {
      pieces.push(piece);
      piece = [];
      length = 0;
    }
    piece.push(entry);
    length += more;
  }
  pieces.push(piece);
  return pieces;
}
