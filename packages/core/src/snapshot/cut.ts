/**
 * A consistent point in time of all partitions: the bounds of each, and the segments it consists
 * of. Appends are not blocked. Segments that are deleted afterwards stay on disk until the cut is
 * released.
 */
import type { Checkpoint } from "../files/checkpoint-file.js";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import type { Segment } from "../segment/segment.js";
import { inParallel } from "../storage/in-parallel.js";

export interface Cut {
  readonly log: FilePartitionLog;
  readonly logStart: number;
  /** The high watermark: the offset after the last record of the cut. */
  readonly end: number;
  /** The segments at that time. The last one continues to be written to. */
  readonly segments: readonly Segment[];
  /**
   * The end of the log shortly before the cut, with the producer state there; undefined if nothing
   * was ever appended.
   */
  readonly mark: Checkpoint | undefined;
  release(): Promise<void>;
}

/**
 * @throws ClosedError, StorageFailedError, CorruptPartitionError if a partition accepts no appends
 */
export async function cutAll(logs: readonly FilePartitionLog[]): Promise<Cut[]> {
  const marks: (Checkpoint | undefined)[] = new Array(logs.length);
  await inParallel(logs, async (log, i) => {
    marks[i] = await log.mark();
  });
  for (;;) {
    // A mark whose segment has been deleted in the meantime is too old.
    const outdated = [...logs.entries()].filter(
      ([i, { segments }]) => marks[i]?.segment !== markable(segments, marks[i]),
    );
    if (outdated.length === 0) return logs.map((log, i) => cut(log, marks[i])); // in one turn of the event loop
    await inParallel(outdated, async ([i, log]) => {
      marks[i] = await log.mark();
    });
  }
}

/**
 * Returns the base offset of the mark's segment if that still exists; without a mark, of the first
 * segment.
 */
function markable(segments: Iterable<Segment>, mark: Checkpoint | undefined): number | undefined {
  for (const { baseOffset } of segments) if (mark === undefined || mark.segment === baseOffset) return baseOffset;
  return undefined;
}

function cut(log: FilePartitionLog, mark: Checkpoint | undefined): Cut {
  const { logStart, highWatermark } = log.offsets;
  const segments = [...log.segments];
  const releases = segments.map((segment) => segment.hold());
  const release = async () => {
    for (const releaseSegment of releases) await releaseSegment().catch(() => {}); // a file that is not removed now is removed when the store is next opened
  };
  return { log, logStart, end: highWatermark, segments, mark, release };
}
