/**
 * Ends streams whose peers do not accept what was sent: after a timeout, so that they do not hold
 * memory forever; and much sooner, longest stalled first, while others wait for the memory. One
 * timer serves all streams.
 */

import { callAll, startTimer, type Timer } from "@logstore/codec";
/** Something that waits for its peer. */
export interface Stalled {
  /** Ends it; it is then no longer tracked. */
  cutOff(): void;
}

/** The timeout while others wait: long enough for any peer that reads at all. */
const PRESSED_TIMEOUT_MS = 1_000;

export class StalledStreams {
  readonly #timeoutMs: number;
  readonly #isPressed: () => boolean;
  /** Since when each of them waits, longest waiting first. */
  readonly #since = new Map<Stalled, number>();
  #timer: Timer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  /** @param isPressed whether others wait for what the stalled ones hold */
  constructor(timeoutMs: number, isPressed: () => boolean) {
    this.#timeoutMs = timeoutMs;
    this.#isPressed = isPressed;
  }

  /** `stalled` starts to wait for its peer, or has made progress: its timeout starts now. */
  begin(stalled: Stalled): void {
    this.#since.delete(stalled); // moves it to the end
    this.#since.set(stalled, performance.now());
    this.#arm();
  }

  end(stalled: Stalled): void {
    this.#since.delete(stalled);
  }

  /** Others have started to wait. */
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

  /** A timer that is due earlier stays: it finds nothing to do and is armed again. */
  #arm(): void {
    const [oldest] = this.#since.values();
    if (oldest === undefined) return;
    const dueAt = oldest + this.#patienceMs;
    if (dueAt >= this.#dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    // Progress that has arrived in the meantime is processed first, because this process itself may
    // have been late.
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
