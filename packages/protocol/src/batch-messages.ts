/**
 * The messages that carry batches, encoded by hand around the batch bytes: the result is the
 * protobuf of log.proto, but the batches are neither copied nor parsed. If a buffer has headroom,
 * the message prefix is written into it.
 */
import type { ConsumeEvent, FetchResult, OffsetGap, ProduceRequest } from "./log-api.js";
import { FieldReader, FieldWriter } from "./protobuf.js";
import { durabilityFromNumber, durabilityToNumber } from "./wire.js";

/**
 * Number of the field that contains the batches. It is the last field of these messages, so that
 * all other fields form a prefix.
 */
const BATCHES = 15;

const Produce = { topic: 1, partition: 2, durability: 3, expectedOffset: 4, topicId: 5 } as const;
const Consume = { highWatermark: 1, caughtUp: 2, heartbeat: 3, logStartMoved: 4, logEndOffset: 5, gap: 6 } as const;
const Fetch = { nextOffset: 1, logStartOffset: 2, highWatermark: 3, logEndOffset: 4, gaps: 5 } as const;
const LogStartMoved = { logStartOffset: 1 } as const;
const Gap = { firstOffset: 1, nextOffset: 2 } as const;

/**
 * Enough headroom for the longest prefix of a `ProduceRequest`: a topic of 249 characters, an id of
 * 36, and four numbers.
 */
export const PRODUCE_HEADROOM_BYTES = 320;
/** Enough headroom for the longest prefix of a `ConsumeResponse` or a `FetchResponse`. */
export const CONSUME_HEADROOM_BYTES = 48;

/**
 * Encodes a ProduceRequest. If `batches` has enough headroom, the prefix is written into it and
 * nothing is copied.
 */
export function encodeProduceRequest(request: ProduceRequest): Uint8Array {
  const prefix = new FieldWriter()
    .string(Produce.topic, request.topic)
    .integer(Produce.partition, request.partition)
    .integer(Produce.durability, durabilityToNumber(request.durability));
  if (request.expectedOffset !== undefined) prefix.presentInteger(Produce.expectedOffset, request.expectedOffset);
  if (request.topicId) prefix.string(Produce.topicId, request.topicId);
  prefix.lengthOf(BATCHES, request.batches.length);
  return frame(prefix.bytes, request.batches, request.headroomBytes ?? 0);
}

/** Decodes a ProduceRequest; `batches` is a view of the message. @throws InvalidArgumentError */
export function decodeProduceRequest(message: Uint8Array): ProduceRequest {
  let topic = "";
  let topicId: string | undefined;
  let partition = 0;
  let durability: ProduceRequest["durability"];
  let expectedOffset: number | undefined;
  let batches: Uint8Array = message.subarray(0, 0);
  const reader = new FieldReader(message);
  while (reader.next()) {
    if (reader.field === Produce.topic) topic = reader.string();
    else if (reader.field === Produce.topicId) topicId = reader.string();
    else if (reader.field === Produce.partition) partition = reader.integer();
    else if (reader.field === Produce.durability) durability = durabilityFromNumber(reader.integer());
    else if (reader.field === Produce.expectedOffset) expectedOffset = reader.integer();
    else if (reader.field === BATCHES) batches = reader.view();
    else reader.skip();
  }
  return { topic, topicId, partition, durability, expectedOffset, batches };
}

/**
 * Encodes a ConsumeResponse. If `batches` has enough headroom, the prefix is written into it and
 * nothing is copied.
 */
export function encodeConsumeResponse(event: ConsumeEvent): Uint8Array {
  const prefix = new FieldWriter()
    .integer(Consume.highWatermark, event.highWatermark)
    .integer(Consume.logEndOffset, event.logEndOffset);
  switch (event.type) {
    case "batches":
      return frame(prefix.lengthOf(BATCHES, event.batches.length).bytes, event.batches, event.headroomBytes);
    case "caughtUp":
      return prefix.lengthOf(Consume.caughtUp, 0).bytes;
    case "heartbeat":
      return prefix.lengthOf(Consume.heartbeat, 0).bytes;
    case "logStartMoved": {
      const moved = new FieldWriter().integer(LogStartMoved.logStartOffset, event.logStartOffset);
      return prefix.message(Consume.logStartMoved, moved).bytes;
    }
    case "gap":
      return prefix.message(Consume.gap, gapWriter(event)).bytes;
  }
}

/** Returns undefined for an event that this version does not know. */
export function decodeConsumeResponse(message: Uint8Array): ConsumeEvent | undefined {
  const ends = { highWatermark: 0, logEndOffset: 0 };
  let event: (() => ConsumeEvent) | undefined;
  const reader = new FieldReader(message);
  while (reader.next()) {
    if (reader.field === Consume.highWatermark) {
      ends.highWatermark = reader.integer();
    } else if (reader.field === Consume.logEndOffset) {
      ends.logEndOffset = reader.integer();
    } else if (reader.field === BATCHES) {
      const batches = reader.view();
      event = () => ({ type: "batches", batches, headroomBytes: 0, ...ends });
    } else if (reader.field === Consume.caughtUp) {
      reader.skip();
      event = () => ({ type: "caughtUp", ...ends });
    } else if (reader.field === Consume.heartbeat) {
      reader.skip();
      event = () => ({ type: "heartbeat", ...ends });
    } else if (reader.field === Consume.logStartMoved) {
      const logStartOffset = decodeLogStartMoved(reader.view());
      event = () => ({ type: "logStartMoved", logStartOffset, ...ends });
    } else if (reader.field === Consume.gap) {
      const gap = decodeGap(reader.view());
      event = () => ({ type: "gap", ...gap, ...ends });
    } else {
      reader.skip();
    }
  }
  return event?.();
}

function decodeLogStartMoved(message: Uint8Array): number {
  let logStartOffset = 0;
  const reader = new FieldReader(message);
  while (reader.next()) {
    if (reader.field === LogStartMoved.logStartOffset) logStartOffset = reader.integer();
    else reader.skip();
  }
  return logStartOffset;
}

function gapWriter({ firstOffset, nextOffset }: OffsetGap): FieldWriter {
  return new FieldWriter().integer(Gap.firstOffset, firstOffset).integer(Gap.nextOffset, nextOffset);
}

function decodeGap(message: Uint8Array): OffsetGap {
  const gap = { firstOffset: 0, nextOffset: 0 };
  const reader = new FieldReader(message);
  while (reader.next()) {
    if (reader.field === Gap.firstOffset) gap.firstOffset = reader.integer();
    else if (reader.field === Gap.nextOffset) gap.nextOffset = reader.integer();
    else reader.skip();
  }
  return gap;
}

/**
 * Encodes a FetchResponse. If `batches` has enough headroom, the prefix is written into it and
 * nothing is copied.
 */
export function encodeFetchResponse(result: FetchResult): Uint8Array {
  const prefix = new FieldWriter()
    .integer(Fetch.nextOffset, result.nextOffset)
    .integer(Fetch.logStartOffset, result.logStartOffset)
    .integer(Fetch.highWatermark, result.highWatermark)
    .integer(Fetch.logEndOffset, result.logEndOffset);
  for (const gap of result.gaps ?? []) prefix.message(Fetch.gaps, gapWriter(gap));
  if (result.batches.length === 0) return prefix.bytes;
  prefix.lengthOf(BATCHES, result.batches.length);
  return frame(prefix.bytes, result.batches, result.headroomBytes);
}

/** Decodes a FetchResponse; `batches` is a view of the message. @throws InvalidArgumentError */
export function decodeFetchResponse(message: Uint8Array): FetchResult {
  const offsets = { nextOffset: 0, logStartOffset: 0, highWatermark: 0, logEndOffset: 0 };
  const gaps: OffsetGap[] = [];
  let batches: Uint8Array = message.subarray(0, 0);
  const reader = new FieldReader(message);
  while (reader.next()) {
    if (reader.field === Fetch.nextOffset) offsets.nextOffset = reader.integer();
    else if (reader.field === Fetch.logStartOffset) offsets.logStartOffset = reader.integer();
    else if (reader.field === Fetch.highWatermark) offsets.highWatermark = reader.integer();
    else if (reader.field === Fetch.logEndOffset) offsets.logEndOffset = reader.integer();
    else if (reader.field === Fetch.gaps) gaps.push(decodeGap(reader.view()));
    else if (reader.field === BATCHES) batches = reader.view();
    else reader.skip();
  }
  return { ...offsets, ...(gaps.length > 0 && { gaps }), batches, headroomBytes: 0 };
}

/**
 * Puts `prefix` directly before `content`: into its headroom if that is large enough, otherwise
 * copies both.
 */
function frame(prefix: Uint8Array, content: Uint8Array, headroomBytes: number): Uint8Array {
  const start = content.byteOffset - prefix.length;
  if (prefix.length <= headroomBytes && start >= 0) {
    const message = new Uint8Array(content.buffer, start, prefix.length + content.length);
    message.set(prefix);
    return message;
  }
  const message = new Uint8Array(prefix.length + content.length);
  message.set(prefix);
  message.set(content, prefix.length);
  return message;
}
