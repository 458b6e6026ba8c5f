import type { AssignedPartition } from "@logstore/protocol";
import { PartitionState } from "../consumer/partition-state.js";
import { hasCode } from "../retry.js";

/**
 * A partition from when it is assigned until it is given up or lost. Assigned again, it is another
 * one.
 */
export class OwnedPartition extends PartitionState {
  /** One past the last record that was processed; where reading began before that. */
  processed: number | undefined;
  /** As far as the group is known to be. */
  committed: number | undefined;
  /**
   * How often the group was set elsewhere than where it was: by a reset, or since the log has lost
   * its end.
   */
  resets = 0;
  isPaused = false;
  /** It is not this member's any more, or soon will not be: nothing more of it is handed out. */
  isGone = false;
  /** It is somebody else's already: nothing of it can be committed. */
  isLost = false;
  /** `onAssigned` tells of it, and nothing yet that it is gone. */
  isAnnounced = false;
  /** It is being read from, unless it is paused. */
  hasBegun = false;
  /** Resolves when it is being read from, or will not be. */
  arrival: Promise<void> = Promise.resolve();
  readonly #onSkipped: (partition: OwnedPartition, from: number, to: number) => void;

  /** @param onSkipped may throw */
  constructor(
    { topic, topicId = "", partition, committedOffset }: AssignedPartition,
    onSkipped: (partition: OwnedPartition, from: number, to: number) => void,
  ) {
    super(topic, partition, "earliest", undefined);
    this.topicId = topicId;
    this.committed = committedOffset;
    this.#onSkipped = onSkipped;
  }

  /** A log that lost its end goes on from there, and so does the group. */
  override get mayGoBack(): boolean {
    return true;
  }

  /**
   * A topic that was deleted: the group will soon take the partition away, whatever has the name
   * now.
   */
  override isPassing(error: unknown): boolean {
    return hasCode(error, "UNKNOWN_TOPIC") || hasCode(error, "INCONSISTENT_TOPIC_ID") || hasCode(error, "CLOSED");
  }

  override skipped(from: number, to: number): void {
    this.#onSkipped(this, from, to);
  }

  /** What lies between is nobody's to process: where all before it is processed, so is it. */
  override advance(offset: number): void {
    const isProcessed = this.processed === this.position;
    super.advance(offset);
    if (isProcessed) this.processed = this.position;
  }

  /** The group is there now, and nowhere that a commit under way says. */
  resetTo(offset: number): void {
    this.committed = offset;
    this.resets++;
  }

  /** Goes on elsewhere. */
  moveTo(offset: number): void {
    this.position = offset;
    this.processed = offset;
    this.appendTime = undefined;
  }
}

/** No topic's name has a slash in it. */
export function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}
