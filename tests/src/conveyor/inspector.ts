/**
 * Checks what a reader delivers: the content of each record, that no record is skipped without a
 * report, and that delivered records do not change afterwards.
 */
import { type SeenRecord, wrongIn } from "./content.ts";

export interface InspectorOptions {
  /** The end of each partition when everything has been appended. */
  readonly ends: readonly number[];
  readonly valueBytes: number;
  /** Records before this offset of a partition were deleted, and may be skipped. */
  readonly deletedBefore: readonly number[];
  /** Whether records may be delivered more than once, as to members of a group. */
  readonly mayRepeat?: boolean;
  /** Whether records are in offset order only within a key. */
  readonly isByKey?: boolean;
}

/** Views of delivered records are checked again after this many further records. */
const HELD_RECORDS = 200;
const HELD_BYTES = 32 * 1024 * 1024;
const MAX_PROBLEMS = 20;

export class Inspector {
  readonly problems: string[] = [];
  records = 0;
  bytes = 0;
  readonly #options: InspectorOptions;
  readonly #next: number[];
  readonly #done: Uint8Array[];
  /** Reported skips by partition: from (inclusive), to (exclusive). */
  readonly #reportedSkips: [from: number, to: number][][];
  #missing: number;
  readonly #held: { readonly partition: number; readonly record: SeenRecord }[] = [];
  #heldBytes = 0;

  constructor(options: InspectorOptions) {
    this.#options = options;
    this.#next = options.ends.map(() => 0);
    this.#done = options.ends.map((end) => new Uint8Array(end));
    this.#reportedSkips = options.ends.map(() => []);
    this.#missing = options.ends.reduce((sum, end) => sum + end, 0);
  }

  /** Whether every record was delivered or, if deleted, skipped. */
  get isComplete(): boolean {
    return this.#missing === 0;
  }

  isCompleteIn(partition: number): boolean {
    return this.#next[partition]! >= this.#options.ends[partition]!;
  }

  next(partition: number): number {
    return this.#next[partition]!;
  }

  accept(partition: number, record: SeenRecord): void {
    this.records++;
    this.bytes += record.value.length;
    const { offset } = record;
    const end = this.#options.ends[partition];
    if (end === undefined || offset >= end) {
      this.#problem(`${partition}/${offset} was never appended`);
      return;
    }
    this.#checkOrder(partition, offset);
    const wrong = wrongIn(record, partition, this.#options.valueBytes);
    if (wrong !== undefined) this.#problem(`${partition}/${offset}: ${wrong}`);
    this.#mark(partition, offset);
    this.#hold(partition, record);
  }

  /**
   * A record that is delivered once more, in another way: its content is checked, but not its
   * position.
   */
  acceptAgain(partition: number, record: SeenRecord): void {
    this.records++;
    const wrong = wrongIn(record, partition, this.#options.valueBytes);
    if (wrong !== undefined) this.#problem(`${partition}/${record.offset}, again: ${wrong}`);
  }

  mustHave(partition: number, offset: number, why: string): void {
    if (this.#done[partition]![offset] === 0) this.#problem(`${partition}/${offset} ${why} and never handed out`);
  }

  /**
   * The reader reported that it continues after deleted records; earlier records may still be in
   * flight.
   */
  skipped(partition: number, from: number, to: number): void {
    const deleted = this.#options.deletedBefore[partition]!;
    if (to > deleted)
      this.#problem(`${partition}: ${from} to ${to - 1} are said to be gone; deleted is before ${deleted}`);
    for (let offset = from; offset < Math.min(to, deleted); offset++) this.#mark(partition, offset);
    this.#reportedSkips[partition]!.push([from, to]);
    this.#passSaid(partition);
  }

  /** Called at the end. */
  finish(): void {
    for (const { partition, record } of this.#held.splice(0)) this.#lookAgain(partition, record);
    if (this.isComplete || this.problems.length > 0) return;
    for (const [partition, done] of this.#done.entries()) {
      const missing = done.indexOf(0);
      if (missing >= 0) this.#problem(`${partition}/${missing} was never handed out`);
    }
  }

  #checkOrder(partition: number, offset: number): void {
    const { mayRepeat = false, isByKey = false } = this.#options;
    const expected = this.#next[partition]!;
    // A reader that starts at the log start reports no skip before it.
    if (expected === 0 && offset > 0 && offset <= this.#options.deletedBefore[partition]!)
      this.skipped(partition, 0, offset);
    else if (offset < expected && !mayRepeat && !isByKey)
      this.#problem(`${partition}/${offset} came again or late, after ${expected - 1}`);
    else if (offset > expected && !isByKey)
      this.#problem(`${partition}: ${expected} to ${offset - 1} were skipped, and nothing said so`);
    this.#next[partition] = Math.max(expected, offset + 1);
    this.#passSaid(partition);
  }

  #passSaid(partition: number): void {
    const said = this.#reportedSkips[partition]!;
    for (;;) {
      const next = this.#next[partition]!;
      const skip = said.find(([from, to]) => from <= next && next < to);
      if (skip === undefined) return;
      this.#next[partition] = skip[1];
    }
  }

  #mark(partition: number, offset: number): void {
    const done = this.#done[partition]!;
    if (done[offset] === 0) this.#missing--;
    done[offset] = 1;
  }

  #hold(partition: number, record: SeenRecord): void {
    this.#held.push({ partition, record });
    this.#heldBytes += record.value.length;
    while (this.#held.length > HELD_RECORDS || this.#heldBytes > HELD_BYTES) {
      const oldest = this.#held.shift()!;
      this.#heldBytes -= oldest.record.value.length;
      this.#lookAgain(oldest.partition, oldest.record);
    }
  }

  #lookAgain(partition: number, record: SeenRecord): void {
    const wrong = wrongIn(record, partition, this.#options.valueBytes);
    if (wrong !== undefined) this.#problem(`${partition}/${record.offset}, looked at again: ${wrong}`);
  }

  #problem(text: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(text);
  }
}
