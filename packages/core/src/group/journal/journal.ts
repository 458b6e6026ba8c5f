/**
 * The groups as they are now, and the one way to change them. When that fails, nothing is served
 * until the broker is opened again.
 */
import type { LogStoreError } from "@logstore/codec";
import { storageError } from "../../storage/storage-error.js";
import type { GroupChange, GroupState } from "../state/group-state.js";
import type { GroupTotals } from "../state/group-totals.js";
import type { Clock } from "../time/clock.js";
import type { GroupLog } from "./group-log.js";

export class Journal {
  readonly #log: GroupLog | undefined;
  readonly #clock: Clock;
  /** Wall clock less the steady one, when it was opened. */
  readonly #epochMs: number;
  #failure: LogStoreError | undefined;
  /** Called with each change that was made, which may not be durable yet. */
  onChange: (change: GroupChange) => void = () => {};
  /** Called when it fails, or is closed. */
  onFailure: (error: LogStoreError) => void = () => {};

  /** @param failure why there is no log */
  constructor(log: GroupLog | undefined, failure: LogStoreError | undefined, wallTime: number, clock: Clock) {
    this.#log = log;
    this.#failure = failure;
    this.#clock = clock;
    this.#epochMs = wallTime - clock.monotonic();
  }

  /** Why groups are not served, if so. */
  get failure(): LogStoreError | undefined {
    return this.#failure;
  }

  get groups(): ReadonlyMap<string, GroupState> {
    return this.#log?.groups ?? new Map();
  }

  /** @throws why groups are not served */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** @throws BufferFullError */
  checkRoom(): void {
    this.#log!.checkRoom();
  }

  get totals(): GroupTotals {
    return this.#log!.totals;
  }

  /**
   * Makes changes at once; resolves when they are durable, and all before them.
   *
   * @throws at once where groups are not served, or a change cannot be written down: then none of
   * them is made
   */
  append(changes: readonly GroupChange[]): Promise<void> {
    this.check();
    const durable = changes.length > 0 ? this.#log!.append(changes) : this.#log!.settled();
    const heard = durable.catch((error: unknown) => {
      // What was decided is not what the disk says any more.
      this.fail(storageError(error, "the groups' log failed"));
      throw error;
    });
    heard.catch(() => {}); // told to the caller, unless what comes next throws
    for (const change of changes) this.onChange(change);
    return heard;
  }

  fail(error: LogStoreError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.onFailure(error);
  }

  /** ms since the epoch, whatever is done to the clock meanwhile. */
  now(): number {
    return Math.round(this.#epochMs + this.#clock.monotonic());
  }

  async close(): Promise<void> {
    await this.#log?.close();
  }
}
