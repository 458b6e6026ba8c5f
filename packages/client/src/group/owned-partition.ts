import type { AssignedPartition } from "@logstore/protocol";
import { hasCode } from "../common/retry.js";
import { PartitionState } from "../reader/partition-state.js";

/** See {@link OwnedPartition}. */
type State = "assigned" | "announced" | "reading" | "revoking" | "revoked" | "lost";

/**
 * A partition from its assignment until it is revoked or lost. If it is assigned again, that is
 * another object.
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
 * - reading: its records are delivered, unless it is paused.
 * - revoking: no further record is delivered; records that are being processed are finished, then
 *   `onRevoked` is called.
 * - revoked: the application does not know of it any more.
 * - lost: another member may own it already; it cannot be committed any more.
 *
 * A transition that the current state does not have has no effect: a revocation may arrive while
 * `onAssigned` runs, and a loss at any time. Pausing is independent of the state.
 */
export class OwnedPartition extends PartitionState {
  /** Offset after the last processed record; the start of reading before the first one. */
  processed: number | undefined;
  /** The committed offset, as far as it is known. */
  committed: number | undefined;
  /**
   * Number of times that the committed offset was set back or forward by something other than a
   * commit: by a reset, or because the log lost its end.
   */
  resets = 0;
  isPaused = false;
  #state: State = "assigned";
  /** Resolves when the partition is being read, or will not be. */
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

  /** Whether the partition was revoked, is being revoked, or was lost. */
  get isGone(): boolean {
    return this.#state === "revoking" || this.#state === "revoked" || this.#state === "lost";
  }

  get isLost(): boolean {
    return this.#state === "lost";
  }

  /** Whether the application knows of the partition and has to be told of its end. */
  get isAnnounced(): boolean {
    return this.#state === "announced" || this.#state === "reading" || this.#state === "revoking";
  }

  /** Whether its records are delivered. */
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

  /** If the log has lost its end, the group continues at the new end. */
  override get mayGoBack(): boolean {
    return true;
  }

  /** Errors of a deleted topic are waited out: the group will revoke the partition soon. */
  override isPassing(error: unknown): boolean {
    return hasCode(error, "UNKNOWN_TOPIC") || hasCode(error, "INCONSISTENT_TOPIC_ID") || hasCode(error, "CLOSED");
  }

  override skipped(from: number, to: number): void {
    this.#onSkipped(this, from, to);
  }

  /** The skipped offsets count as processed if everything before them is processed. */
  override advance(offset: number): void {
    const isProcessed = this.processed === this.position;
    super.advance(offset);
    if (isProcessed) this.processed = this.position;
  }

  /** Sets the committed offset after a reset. A commit in progress does not change it any more. */
  resetTo(offset: number): void {
    this.committed = offset;
    this.resets++;
  }

  /** Continues at another offset. */
  moveTo(offset: number): void {
    this.position = offset;
    this.processed = offset;
    this.appendTime = undefined;
  }
}

/** A key for maps. A topic's name contains no slash. */
export function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}
