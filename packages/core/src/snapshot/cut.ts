/**
 * One moment of all partitions: where each begins and ends, and the files that it is made of.
 * Nobody who appends is held up, and whatever is deleted from then on stays on disk until it is let
 * go of.
 */
import type { Checkpoint } from "../files/checkpoint-file.js";
import type { PartitionLog } from "../partition/partition-log.js";
import type { Segment } from "../segment/segment.js";
import { inParallel } from "../storage/in-parallel.js";

export interface Cut {
  readonly log: PartitionLog;
  readonly logStart: number;
  /** The high watermark: one past the last record. */
  readonly end: number;
  /** Those of that moment. The last one goes on being written to. */
  readonly segments: readonly Segment[];
  /**
   * The end of the log shortly before, with all that was known there; undefined where nothing was
   * ever appended.
   */
  readonly mark: Checkpoint | undefined;
  release(): Promise<void>;
}

/**
 * @throws ClosedError, StorageFailedError, CorruptPartitionError where one of them takes no appends
 */
export async function cutAll(logs: readonly PartitionLog[]): Promise<Cut[]> {
  const marks: (Checkpoint | undefined)[] = new Array(logs.length);
  await inParallel(logs, async (log, i) => {
    marks[i] = await log.mark();
  });
  for (;;) {
    // What is not found here was deleted since, as far as to the mark and beyond.
    const outdated = [...logs.entries()].filter(
      ([i, { segments }]) => marks[i]?.segment !== markable(segments, marks[i]),
    );
    if (outdated.length === 0) return logs.map((log, i) => cut(log, marks[i])); // in one turn of the event loop
    await inParallel(outdated, async ([i, log]) => {
      marks[i] = await log.mark();
    });
  }
}

/** Base offset of the segment that the mark is in, if it is there; without a mark, of any. */
function markable(segments: Iterable<Segment>, mark: Checkpoint | undefined): number | undefined {
  for (const { baseOffset } of segments) if (mark === undefined || mark.segment === baseOffset) return baseOffset;
  return undefined;
}

function cut(log: PartitionLog, mark: Checkpoint | undefined): Cut {
  const { logStart, highWatermark } = log.offsets;
  const segments = [...log.segments];
  const releases = segments.map((segment) => segment.hold());
  const release = async () => {
    for (const letGo of releases) await letGo().catch(() => {}); // what is not removed now is by the next opening
  };
  return { log, logStart, end: highWatermark, segments, mark, release };
}
