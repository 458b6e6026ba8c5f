import type { OwnedPartition } from "../group/owned-partition.js";
import type { ConsumerRecord } from "../reader/consumer-record.js";

/** A record with its key and value as bytes. */
export type RawRecord = ConsumerRecord<Uint8Array, Uint8Array>;

/** A record from when it was read until it is processed, parked or dropped. */
export interface Task {
  readonly partition: PartitionWork;
  /** Views of its batch at first; a copy if the record is kept for longer. */
  record: RawRecord;
  readonly bytes: number;
  /** Aborts when the outcome of the handler does not count any more. */
  readonly use: AbortSignal;
  /** Given to the handler. Aborts also when the reading ends. */
  readonly signal: AbortSignal;
  /**
   * Whether its handler waits for the end of the reading: the handler is not waited for then, and
   * its outcome does not count.
   */
  isReleased: boolean;
}

/**
 * The records of one partition that are in memory: by key, each key in order, and which of them are
 * not processed yet.
 */
export class PartitionWork {
  readonly owned: OwnedPartition;
  /** Number of records in memory, waiting or being processed. */
  heldRecords = 0;
  heldBytes = 0;
  /**
   * Records of each key that wait for the one before them. A key has an entry while one of its
   * records is not processed.
   */
  readonly #lanes = new Map<string, Task[]>();
  /** Offsets that are not processed, ascending. */
  readonly #pending = new Set<number>();
  readonly #stop = new AbortController();
  #use = new AbortController();
  #handlers = new AbortController();
  /** Offsets that no handler was called with, ascending. */
  readonly #unbegun = new Set<number>();
  #isAbandoned = false;
  #resumed: PromiseWithResolvers<void> | undefined;
  #running = 0;
  #waiting: (() => void)[] = [];

  constructor(owned: OwnedPartition) {
    this.owned = owned;
  }

  /** Aborts when no further handler is called and nothing is retried. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** Takes in a record. It is the first of its lane if no other record of its key is in memory. */
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
      task.record = copyOf(record); // other records of its batch may be processed long before it
      waiting.push(task);
    }
    return { task, lane, isFirst: waiting === undefined };
  }

  /** The next record of a key; undefined, and the key is forgotten, if there is none. */
  next(lane: string | undefined): Task | undefined {
    if (lane === undefined) return undefined;
    const task = this.#lanes.get(lane)?.shift();
    if (task === undefined) this.#lanes.delete(lane);
    return task;
  }

  /** Resolves when the partition is resumed; undefined unless it is paused. */
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

  /** The offset of the first record that no handler was called with; undefined if there is none. */
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

  /**
   * Marks a record as processed, and moves the partition's offset up to the first record that is
   * not.
   */
  done({ record, use, isReleased }: Task): void {
    if (use.aborted || isReleased) return;
    this.#pending.delete(record.offset);
    this.owned.processed = this.#pending.values().next().value ?? this.owned.position;
  }

  /**
   * Calls no further handler. Records that are not processed are left to the partition's next
   * owner.
   */
  stop(): void {
    this.#stop.abort();
    this.resume(); // waiting tasks see the stop and end
  }

  /** Aborts the signals of handlers. Their outcomes still count. */
  finish(): void {
    this.#handlers.abort();
  }

  /** Stops waiting for handlers. Their outcomes do not count. */
  abandon(): void {
    this.#isAbandoned = true;
    this.stop();
    this.forget();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Makes the outcomes of all records taken in so far not count. */
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

/** Copies a record's bytes, because a view keeps its whole batch in memory. */
export function copyOf(record: RawRecord): RawRecord {
  const { key, value, headers } = record;
  return {
    ...record,
    key: key && new Uint8Array(key),
    value: new Uint8Array(value),
    headers: headers.map(({ name, value }) => ({ name, value: new Uint8Array(value) })),
  };
}
