const MIB = 1024 * 1024;

/** Size of the messages that one iteration holds before the application takes them, bytes. */
export const MAX_READ_AHEAD_BYTES = 64 * MIB;

/** Bytes that a partition may read in one turn while other partitions wait. */
const TURN_BYTES = MIB;

/**
 * Bounds the memory of an iteration over many partitions. A partition that lags behind reserves the
 * length of a message before it requests one, and waits in line while there is no room; its turn is
 * limited while others wait. A partition that has caught up reserves nothing, because most of these
 * have nothing to receive; if messages arrive for many of them at once, these may take the same
 * amount again. Streams stay open between turns, because a server that sees many resets suspects an
 * attack.
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

  /** Whether there is no room even for messages without a reservation. */
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
   * Admits waiting shares in order. A share that is larger than the whole budget is admitted when
   * nothing else is held.
   */
  #admit(): void {
    for (const share of this.#waiting) {
      if (this.#usedBytes > 0 && this.#usedBytes + share.wantedBytes > this.#maxBytes) return;
      this.#waiting.delete(share);
      share.admit();
    }
  }
}

/** The part of the read-ahead that one partition uses: at most one message at a time. */
export class ReadAheadShare {
  readonly #readAhead: ReadAhead;
  readonly #leastBytes: number;
  #reservedBytes = 0;
  #heldBytes = 0;
  /** Length of the last message. */
  #lastBytes: number | undefined;
  /** Bytes read in this turn. */
  #turnBytes = 0;
  #admitted: (() => void) | undefined;

  /** @param leastBytes smallest reservation for a message */
  constructor(readAhead: ReadAhead, leastBytes: number) {
    this.#readAhead = readAhead;
    this.#leastBytes = leastBytes;
  }

  get wantedBytes(): number {
    return Math.max(this.#leastBytes, this.#lastBytes ?? this.#readAhead.typicalBytes);
  }

  /** Whether the partition has to wait for another turn before it requests the next message. */
  get isTurnOver(): boolean {
    if (this.#reservedBytes === 0) return this.#readAhead.isFull;
    return this.#turnBytes >= TURN_BYTES && this.#readAhead.hasWaiting;
  }

  /** Resolves when the partition may request a message, and when it leaves. */
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
   * Called when a message has arrived. Returns false if there is no room for it: the message has to
   * be dropped, and read again in another turn.
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

  /** Called when there is nothing more to read for now. */
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
