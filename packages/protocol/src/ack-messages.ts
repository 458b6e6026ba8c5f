/**
 * The acknowledgement of an append in a ProduceStream, encoded and decoded by hand, because each
 * append has one: a ProduceStreamResponse of log.proto that contains a ProduceResponse.
 */
import type { ProduceAck } from "./log-api.js";
import { FieldReader, FieldWriter } from "./protobuf.js";
import { durabilityToNumber, statedDurability } from "./wire.js";

const ACK = 1;
const ERROR = 2;
const Ack = { baseOffset: 1, nextOffset: 2, durability: 3, duplicate: 4, logEndOffset: 5 } as const;

/** Encodes a ProduceStreamResponse that acknowledges an append. */
export function encodeStreamedAck(ack: ProduceAck): Uint8Array {
  const fields = new FieldWriter()
    .integer(Ack.baseOffset, ack.baseOffset)
    .integer(Ack.nextOffset, ack.nextOffset)
    .integer(Ack.durability, durabilityToNumber(ack.durability))
    .integer(Ack.duplicate, Number(ack.duplicate))
    .integer(Ack.logEndOffset, ack.logEndOffset);
  return new FieldWriter().message(ACK, fields).bytes;
}

/**
 * Decodes a ProduceStreamResponse. Returns undefined for one that acknowledges nothing.
 *
 * @throws RangeError if the message is malformed
 */
export function decodeStreamedAck(message: Uint8Array): ProduceAck | undefined {
  let ack: ProduceAck | undefined;
  const reader = new FieldReader(message);
  while (reader.next()) {
    if (reader.field === ERROR) return undefined;
    if (reader.field === ACK) ack = decodeAck(reader.view());
    else reader.skip();
  }
  return ack;
}

function decodeAck(message: Uint8Array): ProduceAck {
  const offsets = { baseOffset: 0, nextOffset: 0, logEndOffset: 0 };
  let durability = 0;
  let duplicate = false;
  const reader = new FieldReader(message);
  while (reader.next()) {
    if (reader.field === Ack.baseOffset) offsets.baseOffset = reader.integer();
    else if (reader.field === Ack.nextOffset) offsets.nextOffset = reader.integer();
    else if (reader.field === Ack.durability) durability = reader.integer();
    else if (reader.field === Ack.duplicate) duplicate = reader.integer() !== 0;
    else if (reader.field === Ack.logEndOffset) offsets.logEndOffset = reader.integer();
    else reader.skip();
  }
  return { ...offsets, durability: statedDurability(durability), duplicate };
}
