/**
 * What the owner of a partition knows: the end of the log and of the stream, and the producers. It
 * is exact as long as the owner is not fenced.
 */
import { CorruptPartitionError, frameBatches } from "@logstore/codec";
import { ProducerState } from "@logstore/core/engine";
import type { DataMessage } from "./data-message.js";
import type { State } from "./state-record.js";

/** Limits of any batch that a stream can hold. */
export const STORED_LIMITS = { maxBatchBytes: 2 ** 30, maxRecordsBytes: 2 ** 30 };

const STATE_EVERY_BYTES = 8 * 1024 * 1024;
const STATE_EVERY_MESSAGES = 256;

export class Owner {
  readonly epoch: number;
  readonly producers: ProducerState;
  /** Last sequence of the stream. */
  lastSequence: number;
  logStart: number;
  logEnd: number;
  appendTime: number;
  position: number;
  /** Sequence of the last data message. */
  lastData: number;
  #bytesSinceState = 0;
  #messagesSinceState = 0;

  constructor(epoch: number, state: State) {
    this.epoch = epoch;
    this.lastSequence = epoch;
    this.logStart = state.logStart;
    this.logEnd = state.logEnd;
    this.appendTime = state.appendTime;
    this.position = state.position;
    this.lastData = state.lastData;
    this.producers = new ProducerState(state.producers);
  }

  /**
   * Adds a message that was stored after the state record from which this was made.
   *
   * @throws CorruptPartitionError if it does not continue the log
   */
  replay(message: DataMessage): void {
    if (message.baseOffset !== this.logEnd || message.position !== this.position) {
      throw new CorruptPartitionError(
        `message ${message.sequence} of the stream begins at offset ${message.baseOffset}, and ${this.logEnd} is next`,
        { offset: this.logEnd, expected: this.logEnd, actual: message.baseOffset },
      );
    }
    for (const batch of frameBatches(message.body, STORED_LIMITS)) this.producers.appended(batch);
    this.producers.written();
    this.stored(message);
  }

  /** A data message was stored. */
  stored({ sequence, nextOffset, appendTime, nextPosition, body }: DataMessage): void {
    this.lastData = sequence;
    this.logEnd = nextOffset;
    this.appendTime = appendTime;
    this.position = nextPosition;
    this.#bytesSinceState += body.length;
    this.#messagesSinceState++;
  }

  /** Whether a takeover would have to read much. */
  get needsState(): boolean {
    return this.#bytesSinceState >= STATE_EVERY_BYTES || this.#messagesSinceState >= STATE_EVERY_MESSAGES;
  }

  stateStored(): void {
    this.#bytesSinceState = 0;
    this.#messagesSinceState = 0;
  }

  state(): State {
    const { logStart, logEnd, appendTime, position, lastData } = this;
    return { logStart, logEnd, appendTime, position, lastData, producers: this.producers.snapshot() };
  }
}
