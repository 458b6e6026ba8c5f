/**
 * Encodes responses with long lists in pieces, between which other work runs. In protobuf the
 * concatenation of the encodings of a message's parts is the encoding of the message.
 */
import { type Lane, sliceLeft } from "../transport/slices.js";

export type Serialize = (message: object) => Buffer;

const PIECE_ENTRIES = 500;
const LENGTH_DELIMITED = 2;

export async function encodeInPieces(serialize: Serialize, message: object, lane?: Lane): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (const part of partsOf(message)) {
    await sliceLeft(lane);
    pieces.push(serialize(part));
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** Wraps an encoded message as a field of its parent message. */
export function asField(field: number, bytes: Buffer): Buffer[] {
  const head: number[] = [field * 8 + LENGTH_DELIMITED];
  let length = bytes.length;
  for (; length >= 0x80; length = Math.floor(length / 0x80)) head.push((length % 0x80) | 0x80);
  head.push(length);
  return [Buffer.from(head), bytes];
}

function* partsOf(message: object): Generator<object, void> {
  const long = Object.entries(message).filter(([, value]) => Array.isArray(value) && value.length > PIECE_ENTRIES);
  yield long.length === 0 ? message : { ...message, ...Object.fromEntries(long.map(([name]) => [name, []])) };
  for (const [name, list] of long as [string, unknown[]][]) {
    for (let i = 0; i < list.length; i += PIECE_ENTRIES) yield { [name]: list.slice(i, i + PIECE_ENTRIES) };
  }
}
