/**
 * A file of the simulated disk: its bytes as a reader sees them, and the changes that no sync has
 * covered. Each of those remembers what it replaced, so that a sync copies nothing, and a power cut
 * can take them back.
 */

/** A write or a truncation that a power cut may undo. */
export interface UnsyncedChange {
  readonly kind: "write" | "truncate";
  /** Rises from change to change of a file. */
  readonly order: number;
  /** Of a truncation: the new size. */
  readonly position: number;
  /** What was written; nothing for a truncation. */
  readonly bytes: Uint8Array;
  /** What was at `position` before, as far as the file reached. */
  readonly before: Uint8Array;
  readonly sizeBefore: number;
  /**
   * - dirty: the next sync makes it durable.
   * - forgotten: a sync failed. A reader sees it still, but no sync to come writes it: that is what
   *   Linux does.
   * - durable: it stays whatever happens, and is listed only because an earlier one is forgotten.
   */
  readonly state: "dirty" | "forgotten" | "durable";
}

const NO_BYTES = new Uint8Array(0);
const NO_CHANGES: readonly UnsyncedChange[] = [];

export class SimulatedFile {
  readonly watchers = new Set<() => void>();
  /** Bytes from `#size` on are zero. */
  #buffer = NO_BYTES;
  #size = 0;
  /** Whether the buffer is another disk's too. */
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

  /** How many changes there were: what is written from now on has a higher order. */
  get changes(): number {
    return this.#changes;
  }

  /** A view, good until the next change. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }

  read(into: Uint8Array, position: number): number {
    const end = Math.min(position + into.length, this.#size);
    if (position >= end) return 0;
    into.set(this.#buffer.subarray(position, end));
    return end - position;
  }

  /** @param bytes the file's from here on */
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

  /** Makes everything durable up to the change of that order. */
  sync(upTo = this.#changes): void {
    if (this.#unsynced.length === 0) return;
    const firstForgotten = this.#unsynced.findIndex(({ state }) => state === "forgotten");
    const isListed = (i: number) => firstForgotten >= 0 && i >= firstForgotten;
    this.#unsynced = this.#unsynced
      .filter(({ order }, i) => order > upTo || isListed(i))
      .map((each) => (each.order > upTo ? each : become(each, "durable")));
  }

  /**
   * A sync failed: bytes that were dirty are taken for clean from here on. A truncation is the
   * journal's, and waits for the next.
   */
  forgetDirty(): void {
    this.#unsynced = this.#unsynced.map((each) => (each.kind === "write" ? become(each, "forgotten") : each));
  }

  /**
   * Takes back everything that is not durable, and says what that was: for a power cut to choose
   * from.
   */
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

  /** Does a change again, for good. */
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

  /** Cuts the file, or fills it up with zeros, durably. */
  resize(size: number): void {
    if (size === this.#size) return;
    this.#reserve(size);
    if (size < this.#size) this.#buffer.fill(0, size, this.#size);
    this.#size = size;
  }

  /** The same file for another disk; bytes are copied by whoever changes them first. */
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
