/**
 * Streams whose peer does not take what was sent. One is cut off after a while, since what it holds
 * is kept from nobody for ever; much sooner, and the longest stalled first, when others wait for
 * the bytes that it holds. One timer serves all of them.
 */

import { callAll, startTimer, type Timer } from "@logstore/codec";
/** Something that waits for its peer. */
export interface Stalled {
  /** Ends it. It is forgotten then. */
  cutOff(): void;
}

/** While others wait: long enough for any peer that reads at all. */
const PRESSED_TIMEOUT_MS = 1_000;

export class StalledStreams {
  readonly #timeoutMs: number;
  readonly #isPressed: () => boolean;
  /** Since when each of them waits, those that wait longest first. */
  readonly #since = new Map<Stalled, number>();
  #timer: Timer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  /** @param isPressed whether others wait for what the stalled ones hold */
  constructor(timeoutMs: number, isPressed: () => boolean) {
    this.#timeoutMs = timeoutMs;
    this.#isPressed = isPressed;
  }

  /** `stalled` begins to wait for its peer, or has seen a sign of it: its time starts now. */
  begin(stalled: Stalled): void {
    this.#since.delete(stalled); // to the end of the line
    this.#since.set(stalled, performance.now());
    this.#arm();
  }

  end(stalled: Stalled): void {
    this.#since.delete(stalled);
  }

  /** Others have begun to wait. */
  pressed(): void {
    this.#arm();
  }

  close(): void {
    this.#timer?.cancel();
    this.#since.clear();
  }

  get #patienceMs(): number {
    return this.#isPressed() ? Math.min(PRESSED_TIMEOUT_MS, this.#timeoutMs) : this.#timeoutMs;
  }

  /** A timer that is due sooner stays: it finds nothing to do and is armed again. */
  #arm(): void {
    const [oldest] = this.#since.values();
    if (oldest === undefined) return;
    const dueAt = oldest + this.#patienceMs;
    if (dueAt >= this.#dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    // What has arrived meanwhile is seen first: this process may have been the one that was late.
    const sweep = () => void setImmediate(() => this.#sweep());
    this.#timer = startTimer(dueAt - performance.now(), sweep, { keepsAlive: false });
  }

  #sweep(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    try {
      callAll(this.#overdue());
    } finally {
      this.#arm();
    }
  }

  *#overdue(): Iterable<() => void> {
    for (const [stalled, since] of this.#since) {
      if (since + this.#patienceMs > performance.now()) return;
      this.#since.delete(stalled);
      yield () => stalled.cutOff();
    }
  }
}
