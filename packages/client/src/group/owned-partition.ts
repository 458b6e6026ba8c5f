import type { AssignedPartition } from "@logstore/protocol";
import { hasCode } from "../common/retry.js";
import { PartitionState } from "../reader/partition-state.js";

/** See {@link OwnedPartition}. */
type State = "assigned" | "announced" | "reading" | "revoking" | "revoked" | "lost";

/**
 * A partition from when it is assigned until it is revoked or lost. Assigned again, it is another
 * object.
 *
 * ```
 * assigned ── announce ──> announced ── begin ──> reading
 *    │                         │                     │
 *  revoke                      └────── revoke ───────┤
 *    │                                               v
 *    v                                               │
 * revoked <──────────── finish ───────────────── revoking
 *
 * each of them ── lose ──> lost
 * ```
 *
 * - assigned: its position is being looked up; the application does not know of it.
 * - announced: `onAssigned` was called for it, and may not have returned yet.
 * - reading: its records are handed out, unless it is paused.
 * - revoking: nothing more is handed out; what is in hand is finished, then `onRevoked` is called.
 * - revoked: the application knows of it no more.
 * - lost: another member may own it already; nothing of it can be committed.
 *
 * A transition that the state does not have is none: revoking may come while `onAssigned` runs, and
 * losing at any time. Pausing is the application's wish, in each state.
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
  #state: State = "assigned";
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

  /** It is not this member's any more, or soon will not be: nothing more of it is handed out. */
  get isGone(): boolean {
    return this.#state === "revoking" || this.#state === "revoked" || this.#state === "lost";
  }

  get isLost(): boolean {
    return this.#state === "lost";
  }

  /** Whether the application is to be told when it is gone. */
  get isAnnounced(): boolean {
    return this.#state === "announced" || this.#state === "reading" || this.#state === "revoking";
  }

  /** Whether its records are handed out. */
  get isRead(): boolean {
    return this.#state === "reading" && !this.isPaused;
  }

  announce(): void {
    this.#move("assigned", "announced");
  }

  begin(): void {
    this.#move("announced", "reading");
  }

  revoke(): void {
    if (this.#state === "assigned") this.#state = "revoked";
    else if (this.isAnnounced) this.#state = "revoking";
  }

  finish(): void {
    this.#move("revoking", "revoked");
  }

  lose(): void {
    this.#state = "lost";
  }

  #move(from: State, to: State): void {
    if (this.#state === from) this.#state = to;
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
