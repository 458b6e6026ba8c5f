const KIB = 1024;

/**
 * Bytes that a stream may receive before they are read, by the number of open streams: together
 * about 32 MiB, and at most 160 MiB for 10,000. Windows below 2 MiB stall large batches on distant
 * servers; larger ones gain little.
 */
export function streamWindowBytes(streams: number): number {
  if (streams <= 16) return 2048 * KIB;
  if (streams <= 128) return 256 * KIB;
  if (streams <= 1024) return 64 * KIB;
  return 16 * KIB;
}
