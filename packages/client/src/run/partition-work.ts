import type { OwnedPartition } from "../group/owned-partition.js";
import type { ConsumerRecord } from "../reader/consumer-record.js";

/** A record with its bytes as they lie in the log. */
export type RawRecord = ConsumerRecord<Uint8Array, Uint8Array>;

/** A record from when it was read until it is processed, parked or dropped. */
export interface Task {
  readonly partition: PartitionWork;
  /** Views of the batch at first; a copy once it has to be kept for longer. */
  record: RawRecord;
  readonly bytes: number;
  /** Aborts when the outcome does not count any more. */
  readonly use: AbortSignal;
  /** For the handler: also aborts when the reading is over. */
  readonly signal: AbortSignal;
  /**
   * Its handler waits for the end of the reading itself: it is not waited for, and its outcome does
   * not count.
   */
  isReleased: boolean;
}

/**
 * What is in memory of one partition: records by key, each key in order, and which of them are not
 * done yet.
 */
export class PartitionWork {
  readonly owned: OwnedPartition;
  /** What is in memory: waiting, or worked on. */
  heldRecords = 0;
  heldBytes = 0;
  /**
   * Records of a key that wait for the one before them. A key is here while one of its records is
   * not done.
   */
  readonly #lanes = new Map<string, Task[]>();
  /** Offsets that are not done, ascending. */
  readonly #pending = new Set<number>();
  readonly #stop = new AbortController();
  #use = new AbortController();
  #handlers = new AbortController();
  /** Taken in and not begun, ascending. */
  readonly #unbegun = new Set<number>();
  #isAbandoned = false;
  #resumed: PromiseWithResolvers<void> | undefined;
  #running = 0;
  #waiting: (() => void)[] = [];

  constructor(owned: OwnedPartition) {
    this.owned = owned;
  }

  /** Aborts when nothing more is to be begun, nor tried again. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  /**
   * Takes a record in. A lane is returned where it begins one: nothing else of its key is under
   * way.
   */
  add(record: RawRecord): { readonly task: Task; readonly lane: string | undefined; readonly isFirst: boolean } {
    const bytes = record.value.length + (record.key?.length ?? 0);
    const task = {
      partition: this,
      record,
      bytes,
      use: this.#use.signal,
      signal: this.#handlers.signal,
      isReleased: false,
    };
    this.#pending.add(record.offset);
    this.#unbegun.add(record.offset);
    if (record.key === null) return { task, lane: undefined, isFirst: true };
    const { buffer, byteOffset, length } = record.key;
    const lane = Buffer.from(buffer, byteOffset, length).toString("latin1");
    const waiting = this.#lanes.get(lane);
    if (waiting === undefined) this.#lanes.set(lane, []);
    else {
      task.record = copyOf(record); // others of its batch may be done long before it
      waiting.push(task);
    }
    return { task, lane, isFirst: waiting === undefined };
  }

  /** The next record of a key whose last one is done; the key is forgotten where there is none. */
  next(lane: string | undefined): Task | undefined {
    if (lane === undefined) return undefined;
    const task = this.#lanes.get(lane)?.shift();
    if (task === undefined) this.#lanes.delete(lane);
    return task;
  }

  /** Resolves when work may begin; undefined where it may at once. */
  get resumed(): Promise<void> | undefined {
    return this.#resumed?.promise;
  }

  pause(): void {
    this.#resumed ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  /** Offset of the first record that no handler was called with; undefined where there is none. */
  get firstUnbegun(): number | undefined {
    return this.#unbegun.values().next().value;
  }

  begun({ record }: Task): void {
    this.#unbegun.delete(record.offset);
    this.#running++;
  }

  ended(): void {
    if (--this.#running === 0) for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Moves the partition on as far as everything before is done. */
  done({ record, use, isReleased }: Task): void {
    if (use.aborted || isReleased) return;
    this.#pending.delete(record.offset);
    this.owned.processed = this.#pending.values().next().value ?? this.owned.position;
  }

  /** Nothing more is begun. What is not done stays so: the partition's next owner gets it. */
  stop(): void {
    this.#stop.abort();
    this.resume(); // what waits is let go of
  }

  /** Handlers are told that the reading is over. What they still do counts. */
  finish(): void {
    this.#handlers.abort();
  }

  /** What is worked on is not waited for, and does not count. */
  abandon(): void {
    this.#isAbandoned = true;
    this.stop();
    this.forget();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** What was taken in so far does not count any more. */
  forget(): void {
    this.#use.abort();
    this.#handlers.abort();
    this.#use = new AbortController();
    this.#handlers = new AbortController();
    this.#pending.clear();
    this.#unbegun.clear();
  }

  async drained(): Promise<void> {
    if (this.#running > 0 && !this.#isAbandoned) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** A view would keep its whole batch in memory. */
export function copyOf(record: RawRecord): RawRecord {
  const { key, value, headers } = record;
  return {
    ...record,
    key: key && new Uint8Array(key),
    value: new Uint8Array(value),
    headers: headers.map(({ name, value }) => ({ name, value: new Uint8Array(value) })),
  };
}
