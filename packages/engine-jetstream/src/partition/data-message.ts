/** A data message: one group commit. See docs/format/jetstream.md. */
import { CorruptPartitionError, type RecordBatch } from "@logstore/codec";
import type { StoredMsg } from "@nats-io/jetstream";
import type { Outgoing } from "../nats/partition-stream.js";

/** What a data message says of its place in the log. */
export interface DataPlace {
  readonly sequence: number;
  readonly epoch: number;
  readonly baseOffset: number;
  readonly nextOffset: number;
  /** ms since the epoch. */
  readonly appendTime: number;
  /** Bytes of all bodies before this one. */
  readonly position: number;
  /** Bytes of all bodies up to the end of this one. */
  readonly nextPosition: number;
}

export interface DataMessage extends DataPlace {
  /** Whole batches. */
  readonly body: Uint8Array;
}

export const EPOCH_HEADER = "LogStore-Epoch";
const BASE_OFFSET_HEADER = "LogStore-Base-Offset";
const NEXT_OFFSET_HEADER = "LogStore-Next-Offset";
const APPEND_TIME_HEADER = "LogStore-Append-Time";
const POSITION_HEADER = "LogStore-Position";

export function encodeData(batches: readonly RecordBatch[], epoch: number, position: number): Outgoing {
  const [first, last] = [batches[0]!, batches.at(-1)!];
  const headers = {
    [EPOCH_HEADER]: `${epoch}`,
    [BASE_OFFSET_HEADER]: `${first.baseOffset}`,
    [NEXT_OFFSET_HEADER]: `${last.nextOffset}`,
    [APPEND_TIME_HEADER]: `${first.appendTime}`,
    [POSITION_HEADER]: `${position}`,
  };
  const body = batches.length === 1 ? first.bytes : Buffer.concat(batches.map(({ bytes }) => bytes));
  return { kind: "data", headers, body };
}

/** @throws CorruptPartitionError if a header is missing or no number */
export function decodeData({ seq: sequence, header, data: body }: StoredMsg): DataMessage {
  const number = (name: string) => {
    const value = Number(header.get(name) || Number.NaN);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new CorruptPartitionError(`message ${sequence} of the partition's stream has no valid header ${name}`);
  };
  const position = number(POSITION_HEADER);
  return {
    sequence,
    epoch: number(EPOCH_HEADER),
    baseOffset: number(BASE_OFFSET_HEADER),
    nextOffset: number(NEXT_OFFSET_HEADER),
    appendTime: number(APPEND_TIME_HEADER),
    position,
    nextPosition: position + body.length,
    body,
  };
}
