/**
 * A file of the simulated disk: its bytes as a reader sees them, and the changes that no sync has
 * covered yet. Each change keeps what it replaced, so that a sync copies nothing, and a power cut
 * can undo it.
 */

/** A write or a truncation that a power cut may undo. */
export interface UnsyncedChange {
  readonly kind: "write" | "truncate";
  /** Increases with each change of a file. */
  readonly order: number;
  /** For a truncation, the new size. */
  readonly position: number;
  /** The bytes written; empty for a truncation. */
  readonly bytes: Uint8Array;
  /** The previous bytes at `position`, as far as the file reached. */
  readonly before: Uint8Array;
  readonly sizeBefore: number;
  /**
   * - dirty: the next sync makes it durable.
   * - forgotten: a sync of it failed. It is still visible, but no later sync writes it, as on
   *   Linux.
   * - durable: it always survives, and is listed only because an earlier change is forgotten.
   */
  readonly state: "dirty" | "forgotten" | "durable";
}

const NO_BYTES = new Uint8Array(0);
const NO_CHANGES: readonly UnsyncedChange[] = [];

export class SimulatedFile {
  readonly watchers = new Set<() => void>();
  /** The bytes after `#size` are zero. */
  #buffer = NO_BYTES;
  #size = 0;
  /** Whether another disk shares the buffer. */
  #shared = false;
  #unsynced = NO_CHANGES;
  #changes = 0;

  get size(): number {
    return this.#size;
  }

  /** Oldest first. */
  get unsynced(): readonly UnsyncedChange[] {
    return this.#unsynced;
  }

  /** The number of changes so far: later ones have a higher order. */
  get changes(): number {
    return this.#changes;
  }

  /** A view, valid until the next change. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }

  read(into: Uint8Array, position: number): number {
    const end = Math.min(position + into.length, this.#size);
    if (position >= end) return 0;
    into.set(this.#buffer.subarray(position, end));
    return end - position;
  }

  /** @param bytes belong to the file afterwards */
  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    this.#note("write", bytes, position, Math.min(position + bytes.length, this.#size));
    this.put(bytes, position);
  }

  truncate(size: number): void {
    this.#note("truncate", NO_BYTES, size, this.#size);
    this.resize(size);
  }

  #note(kind: UnsyncedChange["kind"], bytes: Uint8Array, position: number, end: number): void {
    const before = position < end ? this.#buffer.slice(position, end) : NO_BYTES;
    const order = ++this.#changes;
    const change: UnsyncedChange = { kind, order, position, bytes, before, sizeBefore: this.#size, state: "dirty" };
    if (this.#unsynced === NO_CHANGES) this.#unsynced = [change];
    else (this.#unsynced as UnsyncedChange[]).push(change);
  }

  /** Makes all changes up to that order durable. */
  sync(upTo = this.#changes): void {
    if (this.#unsynced.length === 0) return;
    const firstForgotten = this.#unsynced.findIndex(({ state }) => state === "forgotten");
    const isListed = (i: number) => firstForgotten >= 0 && i >= firstForgotten;
    this.#unsynced = this.#unsynced
      .filter(({ order }, i) => order > upTo || isListed(i))
      .map((each) => (each.order > upTo ? each : become(each, "durable")));
  }

  /**
   * A sync failed: dirty bytes count as clean from now on. A truncation is in the journal and is
   * made durable by the next sync.
   */
  forgetDirty(): void {
    this.#unsynced = this.#unsynced.map((each) => (each.kind === "write" ? become(each, "forgotten") : each));
  }

  /** Undoes everything that is not durable and returns it, for a power cut to choose from. */
  rollBack(): readonly UnsyncedChange[] {
    const changes = this.#unsynced;
    for (let i = changes.length - 1; i >= 0; i--) {
      const { position, before, sizeBefore } = changes[i]!;
      this.put(before, position);
      this.resize(sizeBefore);
    }
    this.#unsynced = NO_CHANGES;
    return changes;
  }

  /** Applies a change again, durably. */
  redo({ kind, position, bytes }: UnsyncedChange): void {
    if (kind === "write") this.put(bytes, position);
    else this.resize(position);
  }

  /** Puts bytes in place, durably. */
  put(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (bytes.length === 0) return;
    this.#reserve(end);
    this.#buffer.set(bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  /** Truncates the file, or extends it with zeros, durably. */
  resize(size: number): void {
    if (size === this.#size) return;
    this.#reserve(size);
    if (size < this.#size) this.#buffer.fill(0, size, this.#size);
    this.#size = size;
  }

  /** A copy for another disk. The bytes are copied on the first write. */
  copy(): SimulatedFile {
    const copy = new SimulatedFile();
    this.#shared = true;
    copy.#shared = true;
    copy.#buffer = this.#buffer;
    copy.#size = this.#size;
    copy.#changes = this.#changes;
    if (this.#unsynced !== NO_CHANGES) copy.#unsynced = [...this.#unsynced];
    return copy;
  }

  #reserve(size: number): void {
    if (!this.#shared && size <= this.#buffer.length) return;
    const grown = size > this.#buffer.length ? Math.max(size, 512, this.#buffer.length * 2) : this.#buffer.length;
    const buffer = new Uint8Array(grown);
    buffer.set(this.#buffer.subarray(0, this.#size));
    this.#buffer = buffer;
    this.#shared = false;
  }
}

function become(change: UnsyncedChange, state: UnsyncedChange["state"]): UnsyncedChange {
  return change.state === "dirty" ? { ...change, state } : change;
}
