/** Which records are old enough to be deleted. */

export interface RetentionLimits {
  /**
   * A segment is deleted when everything in it is older than this, ms. Undefined: never for its
   * age.
   */
  readonly retentionMs: number | undefined;
  /**
   * The oldest segments are deleted while the others hold so many bytes or more. Undefined: never
   * for its size.
   */
  readonly retentionBytes: number | undefined;
}

/** A segment as the policy sees it. */
export interface SegmentAge {
  readonly sizeBytes: number;
  /** Append time of what follows its last record, or of that itself: nothing in it is newer. */
  readonly newestTime: number;
}

/** How many of the oldest segments are to be deleted. */
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
