/**
 * The current state of all groups, and the only way to change it. After a failure groups are
 * unavailable until the broker is reopened.
 */
import { type LogStoreError, UnknownGroupError } from "@logstore/codec";
import { storageError } from "../../storage/storage-error.js";
import type { GroupChange, GroupState } from "../state/group-state.js";
import type { GroupTotals } from "../state/group-totals.js";
import { checkGroupName } from "../state/limits.js";
import type { Clock } from "../time/clock.js";
import type { GroupLog } from "./group-log.js";

export class Journal {
  readonly #log: GroupLog | undefined;
  readonly #clock: Clock;
  /** Wall clock minus monotonic clock when the journal was opened. */
  readonly #epochMs: number;
  #failure: LogStoreError | undefined;
  /** Called with each change when it is made; it may not be durable yet. */
  onChange: (change: GroupChange) => void = () => {};
  /** Called when the journal fails or is closed. */
  onFailure: (error: LogStoreError) => void = () => {};

  /** @param failure why there is no log */
  constructor(log: GroupLog | undefined, failure: LogStoreError | undefined, wallTime: number, clock: Clock) {
    this.#log = log;
    this.#failure = failure;
    this.#clock = clock;
    this.#epochMs = wallTime - clock.monotonic();
  }

  /** Why groups are unavailable; undefined if they are available. */
  get failure(): LogStoreError | undefined {
    return this.#failure;
  }

  get groups(): ReadonlyMap<string, GroupState> {
    return this.#log?.groups ?? new Map();
  }

  /** @throws UnknownGroupError, InvalidArgumentError, or the reason why groups are unavailable */
  group(group: string): GroupState {
    this.check();
    checkGroupName(group);
    const state = this.groups.get(group);
    if (state !== undefined) return state;
    throw new UnknownGroupError(`there is no group ${group}: nobody has joined it or committed for it`, { group });
  }

  /** @throws the reason why groups are unavailable */
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
   * Makes changes synchronously; resolves when they and all earlier ones are durable.
   *
   * @throws synchronously if groups are unavailable, or a change cannot be encoded: then none of
   * them is made
   */
  append(changes: readonly GroupChange[]): Promise<void> {
    this.check();
    const durable = changes.length > 0 ? this.#log!.append(changes) : this.#log!.settled();
    const heard = durable.catch((error: unknown) => {
      // The state in memory is no longer what is on disk.
      this.fail(storageError(error, "the groups' log failed"));
      throw error;
    });
    heard.catch(() => {}); // reported to the caller, unless the next statement throws
    for (const change of changes) this.onChange(change);
    return heard;
  }

  fail(error: LogStoreError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.onFailure(error);
  }

  /** ms since the epoch, unaffected by later changes of the wall clock. */
  now(): number {
    return Math.round(this.#epochMs + this.#clock.monotonic());
  }

  async close(): Promise<void> {
    await this.#log?.close();
  }
}
