/** Reads a partition's log: whole batches, copied into a buffer of the caller's own. */
import { ClosedError, frameBatches, OffsetOutOfRangeError, type RecordBatch } from "@logstore/codec";
import {
  BatchTooLongToRead,
  bufferFor,
  type Chunk,
  type LogOffsets,
  type LogReader,
  type PartitionLog,
  type ReadOptions,
} from "@logstore/core/engine";
import type { DataMessage, DataPlace } from "./data-message.js";
import type { MessageSource } from "./message-source.js";
import { MessagesAhead } from "./messages-ahead.js";
import { STORED_LIMITS } from "./owner.js";

interface Log extends Pick<PartitionLog, "partition" | "isClosed"> {
  readonly offsets: LogOffsets;
}

export class JetStreamReader implements LogReader {
  readonly #log: Log;
  readonly #source: MessageSource;
  #offset: number;
  /** How often the log had been cut. */
  readonly #timesCut: number;
  /** The last message that was read. */
  #near: DataPlace | undefined;
  readonly #ahead: MessagesAhead;

  constructor(log: Log, source: MessageSource, offset: number) {
    this.#log = log;
    this.#source = source;
    this.#ahead = new MessagesAhead(source);
    this.#offset = offset;
    this.#timesCut = log.offsets.timesCut;
    const isThere = Number.isSafeInteger(offset) && offset <= log.offsets.highWatermark;
    if (!isThere || offset < log.offsets.logStart) throw this.#outOfRange();
  }

  get offset(): number {
    return this.#offset;
  }

  async next({ maxBytes, headroomBytes = 0, isStrict, until }: ReadOptions): Promise<Chunk | undefined> {
    this.#checkReadable();
    const end = Math.min(this.#log.offsets.highWatermark, until ?? Number.POSITIVE_INFINITY);
    if (this.#offset >= end) return undefined;
    const messages = await this.#messages(maxBytes);
    const { batches, byteLength, last } = this.#collect(messages, end, maxBytes);
    if (isStrict && byteLength > maxBytes) throw new BatchTooLongToRead(byteLength);
    const bytes = bufferFor(byteLength, headroomBytes);
    let at = 0;
    for (const batch of batches) {
      bytes.set(batch.bytes, at);
      at += batch.byteLength;
    }
    const { body: _body, ...near } = last;
    if (this.#near !== undefined) this.#ahead.goOn(near, end); // it reads more than one chunk
    this.#near = near;
    this.#offset = batches.at(-1)!.nextOffset;
    return { bytes, headroomBytes, nextOffset: this.#offset };
  }

  async #messages(maxBytes: number): Promise<readonly DataMessage[]> {
    try {
      if (this.#offset === this.#near?.nextOffset) await this.#ahead.arrived(this.#offset);
      const messages = await this.#source.at(this.#offset, maxBytes, this.#near);
      this.#checkReadable();
      return messages;
    } catch (error) {
      this.#checkReadable(); // the record may have been deleted meanwhile
      throw error;
    }
  }

  /**
   * The batches from the reader's offset on: of the messages that were read, and of later ones in
   * memory.
   */
  #collect(messages: readonly DataMessage[], end: number, maxBytes: number) {
    const batches: RecordBatch[] = [];
    let byteLength = 0;
    let last = messages[0]!;
    for (let i = 0, message: DataMessage | undefined = last; message !== undefined; ) {
      last = message;
      for (const batch of frameBatches(message.body, STORED_LIMITS)) {
        if (batch.nextOffset <= this.#offset) continue;
        const isTooMuch = batches.length > 0 && byteLength + batch.byteLength > maxBytes;
        if (batch.baseOffset >= end || isTooMuch) return { batches, byteLength, last };
        batches.push(batch);
        byteLength += batch.byteLength;
      }
      const next = messages[++i] ?? this.#source.cached(last.nextOffset);
      message = byteLength < maxBytes && next?.baseOffset === last.nextOffset ? next : undefined;
    }
    return { batches, byteLength, last };
  }

  #checkReadable(): void {
    const { partition, isClosed, offsets } = this.#log;
    if (isClosed) throw new ClosedError(`partition ${partition} is closed`, { partition });
    const isLost = offsets.wasCutBefore(this.#offset, this.#timesCut);
    if (this.#offset < offsets.logStart || isLost) throw this.#outOfRange(isLost);
  }

  #outOfRange(isLost = false): OffsetOutOfRangeError {
    const { partition, offsets } = this.#log;
    const { logStart, highWatermark } = offsets;
    const offset = this.#offset;
    const what = isLost
      ? `NATS has lost the records of partition ${partition} before offset ${offset} that were read, and it ends at ${highWatermark} now`
      : `partition ${partition} has offsets ${logStart} to ${highWatermark}, not ${offset}`;
    const isBeyond = isLost || offset > highWatermark;
    return new OffsetOutOfRangeError(what, { partition, offset, expected: isBeyond ? highWatermark : logStart });
  }
}
