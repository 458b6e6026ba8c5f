/**
 * Makes durable, behind the writer's back, what nobody waits for: appends that are only to be written. A power cut then loses
 * little of them, and when a segment is full, little is left to sync before the next one is begun.
 */
import type { Segment } from "../segment/segment.js";
import type { LogOffsets } from "./log-offsets.js";

/** So much is written before it is synced. */
const FLUSH_BEHIND_BYTES = 8 * 1024 * 1024;

export class FlushBehind {
  readonly #offsets: LogOffsets;
  #unflushedBytes = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(offsets: LogOffsets) {
    this.#offsets = offsets;
  }

  /** To be told of every write; `logEnd` is where it ends. */
  wrote(segment: Segment, bytes: number): void {
    this.#unflushedBytes += bytes;
    if (this.#unflushedBytes < FLUSH_BEHIND_BYTES || this.#running !== undefined) return;
    this.#unflushedBytes = 0;
    const { logEnd } = this.#offsets;
    this.#running = segment
      .sync()
      .then(
        () => this.#offsets.flushed(logEnd),
        (error: unknown) => {
          this.#failure = { error };
        },
      )
      .finally(() => {
        this.#running = undefined;
      });
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Throws where a sync failed: nothing can be said any more of what is on the disk. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await this.#running;
    this.check();
  }
}
