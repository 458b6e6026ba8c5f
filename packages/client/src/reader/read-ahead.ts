const MIB = 1024 * 1024;

/**
 * Messages that the partitions of one iteration hold together, bytes, before the application takes
 * them.
 */
export const MAX_READ_AHEAD_BYTES = 64 * MIB;

/** A partition that has read this much in one turn lets one that waits have the next, bytes. */
const TURN_BYTES = MIB;

/**
 * Bounds the memory of an iteration over many partitions. A partition that is behind reserves the
 * length of a message before it asks for one, and waits in line while there is no room; each one's
 * turn is limited while others wait. A partition that has caught up reserves nothing, since most of
 * those have nothing to receive; when messages come for many of them at once, they may take as much
 * again. Streams stay open between turns: servers take a peer that resets many for an attacker.
 */
export class ReadAhead {
  readonly #maxBytes: number;
  #usedBytes = 0;
  /** Moving average of the length of messages. */
  #typicalBytes = 0;
  readonly #waiting = new Set<ReadAheadShare>();

  constructor(maxBytes = MAX_READ_AHEAD_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get typicalBytes(): number {
    return this.#typicalBytes;
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  get isFull(): boolean {
    return this.#usedBytes > this.#maxBytes;
  }

  /** Even for what was not reserved there is no room. */
  get isOverfull(): boolean {
    return this.#usedBytes > 2 * this.#maxBytes;
  }

  wait(share: ReadAheadShare): void {
    this.#waiting.add(share);
    this.#admit();
  }

  leave(share: ReadAheadShare): void {
    this.#waiting.delete(share);
  }

  changed(byBytes: number): void {
    this.#usedBytes += byBytes;
    if (byBytes < 0) this.#admit();
  }

  hasArrived(bytes: number): void {
    this.#typicalBytes = this.#typicalBytes === 0 ? bytes : this.#typicalBytes * 0.9 + bytes * 0.1;
  }

  /**
   * In the order of waiting. A share that is larger than the whole is admitted when nothing else is
   * held.
   */
  #admit(): void {
    for (const share of this.#waiting) {
      if (this.#usedBytes > 0 && this.#usedBytes + share.wantedBytes > this.#maxBytes) return;
      this.#waiting.delete(share);
      share.admit();
    }
  }
}

/** What one partition has of the read-ahead: at most one message at a time. */
export class ReadAheadShare {
  readonly #readAhead: ReadAhead;
  readonly #leastBytes: number;
  #reservedBytes = 0;
  #heldBytes = 0;
  /** Length of the last message. */
  #lastBytes: number | undefined;
  /** Read in this turn. */
  #turnBytes = 0;
  #admitted: (() => void) | undefined;

  /** @param leastBytes what is reserved for a message at least */
  constructor(readAhead: ReadAhead, leastBytes: number) {
    this.#readAhead = readAhead;
    this.#leastBytes = leastBytes;
  }

  get wantedBytes(): number {
    return Math.max(this.#leastBytes, this.#lastBytes ?? this.#readAhead.typicalBytes);
  }

  /** Whether another turn is to be waited for before the next message is asked for. */
  get isTurnOver(): boolean {
    if (this.#reservedBytes === 0) return this.#readAhead.isFull;
    return this.#turnBytes >= TURN_BYTES && this.#readAhead.hasWaiting;
  }

  /** Resolves when the partition may ask for a message, and when it leaves. */
  turn(): Promise<void> {
    this.#use(0, 0);
    return new Promise((resolve) => {
      this.#admitted = resolve;
      this.#readAhead.wait(this);
    });
  }

  /** Ends the turn, and the wait for one. */
  leave(): void {
    this.#readAhead.leave(this);
    this.#use(0, 0);
    this.#admitted?.();
  }

  /**
   * A message is here. False where there is no room for it: it is to be dropped, and read again
   * after another turn.
   */
  received(bytes: number): boolean {
    if (this.#reservedBytes < bytes && this.#readAhead.isOverfull) return false;
    this.#lastBytes = bytes;
    this.#turnBytes += bytes;
    this.#readAhead.hasArrived(bytes);
    this.#use(this.#reservedBytes, bytes);
    return true;
  }

  /** The message was taken. */
  taken(): void {
    this.#use(this.#reservedBytes, 0);
  }

  /** There is nothing more to read for now. */
  caughtUp(): void {
    this.#use(0, this.#heldBytes);
  }

  /** The turn begins. */
  admit(): void {
    this.#turnBytes = 0;
    this.#use(this.wantedBytes, 0);
    this.#admitted?.();
  }

  #use(reservedBytes: number, heldBytes: number): void {
    const before = Math.max(this.#reservedBytes, this.#heldBytes);
    this.#reservedBytes = reservedBytes;
    this.#heldBytes = heldBytes;
    const by = Math.max(reservedBytes, heldBytes) - before;
    if (by !== 0) this.#readAhead.changed(by);
  }
}
