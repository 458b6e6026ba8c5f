/** Decides which segments exceed the retention limits. */

export interface RetentionLimits {
  /**
   * Age after which a segment is deleted, in ms, if all its records have reached it. Undefined: no
   * limit.
   */
  readonly retentionMs: number | undefined;
  /**
   * The oldest segments are deleted as long as the remaining ones have at least this size, in
   * bytes. Undefined: no limit.
   */
  readonly retentionBytes: number | undefined;
}

/** A segment, as the policy sees it. */
export interface SegmentAge {
  readonly sizeBytes: number;
  /** Upper bound of the append times in the segment. */
  readonly newestTime: number;
}

/** Returns how many of the oldest segments to delete. */
export function expiredSegments(
  segments: readonly SegmentAge[],
  { retentionMs, retentionBytes }: RetentionLimits,
  nowMs: number,
): number {
  let keptBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let count = 0;
  for (const { sizeBytes, newestTime } of segments) {
    const isOld = retentionMs !== undefined && newestTime < nowMs - retentionMs;
    const isTooMuch = retentionBytes !== undefined && keptBytes - sizeBytes >= retentionBytes;
    if (!isOld && !isTooMuch) break;
    keptBytes -= sizeBytes;
    count++;
  }
  return count;
}
