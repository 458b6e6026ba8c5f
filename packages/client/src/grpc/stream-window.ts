const KIB = 1024;

/**
 * What a stream may be sent ahead and nobody has read yet, bytes, where so many streams are open:
 * about 32 MiB together, and no more than 160 MiB for 10,000. Below 2 MiB large batches halt on
 * distant servers; more gains little.
 */
export function streamWindowBytes(streams: number): number {
  if (streams <= 16) return 2048 * KIB;
  if (streams <= 128) return 256 * KIB;
  if (streams <= 1024) return 64 * KIB;
  return 16 * KIB;
}
