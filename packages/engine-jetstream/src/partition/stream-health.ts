/**
 * Whether the stream of a partition has a quorum, as far as requests show. A failed request begins
 * a check, which asks the stream until it has a quorum: what failed may not be tried again.
 */
import { startTimer, type Timer } from "@logstore/codec";

const ASK_EVERY_MS = 1_000;

export interface StreamHealthOptions {
  /** Resolves to whether the stream has a leader and a quorum; it may also reject. */
  hasQuorum(): Promise<boolean>;
  /** The quorum was lost, or is there again. */
  changed(isLost: boolean, error: unknown): void;
  /** For how long requests fail before the quorum counts as lost, in ms. */
  readonly lostAfterMs: number;
}

export class StreamHealth {
  readonly #options: StreamHealthOptions;
  /** The failure with which a check began; undefined if none is in progress. */
  #failure: { readonly error: unknown; readonly at: number } | undefined;
  #next: Timer | undefined;
  #isLost = false;
  #isClosed = false;

  constructor(options: StreamHealthOptions) {
    this.#options = options;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** A request failed, for a reason that may be a lost quorum. */
  failed(error: unknown): void {
    if (this.#failure !== undefined || this.#isClosed) return;
    this.#failure = { error, at: performance.now() };
    this.#askLater();
  }

  /** A quorum has stored a message. */
  stored(): void {
    if (this.#failure === undefined) return;
    const { error } = this.#failure;
    this.#failure = undefined;
    this.#next?.cancel();
    this.#become(false, error);
  }

  close(): void {
    this.#isClosed = true;
    this.#failure = undefined;
    this.#next?.cancel();
  }

  #askLater(): void {
    const everyMs = Math.min(ASK_EVERY_MS, this.#options.lostAfterMs / 2);
    this.#next = startTimer(everyMs, () => void this.#ask(), { keepsAlive: false });
  }

  async #ask(): Promise<void> {
    const asked = this.#failure;
    const hasQuorum = await this.#options.hasQuorum().catch(() => false);
    if (asked === undefined || this.#failure !== asked) return; // it has ended meanwhile
    if (hasQuorum) return this.stored();
    if (performance.now() - asked.at >= this.#options.lostAfterMs) this.#become(true, asked.error);
    this.#askLater();
  }

  #become(isLost: boolean, error: unknown): void {
    if (isLost === this.#isLost) return;
    this.#isLost = isLost;
    this.#options.changed(isLost, error);
  }
}
