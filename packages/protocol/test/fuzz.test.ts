/**
 * Hostile bytes in place of a hand-encoded message: decoding quickly gives a message or a
 * RangeError, and never a view beyond the input.
 */
import { describe, expect, test } from "vitest";
import {
  decodeConsumeResponse,
  decodeFetchResponse,
  decodeProduceRequest,
  decodeStreamedAck,
  descriptorFiles,
  encodeConsumeResponse,
  encodeFetchResponse,
  encodeProduceRequest,
  encodeStreamedAck,
} from "../src/index.js";

const seed = Number(process.env["PROTOCOL_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const CASES = Number(process.env["PROTOCOL_CASES"] ?? 100_000);

/** Random numbers below a limit, repeatable by seed (xorshift). */
function randomNumbers(start: number): (limit: number) => number {
  let state = start | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const ends = { highWatermark: 2 ** 50, logEndOffset: 300 };
const batches = Uint8Array.from({ length: 40 }, (_, i) => i);
const valid: Uint8Array[] = [
  encodeProduceRequest({ topic: "zoë", partition: 300, durability: "flushed", expectedOffset: 2 ** 40, batches }),
  encodeStreamedAck({
    baseOffset: 2 ** 40,
    nextOffset: 2 ** 41,
    durability: "written",
    duplicate: true,
    logEndOffset: 7,
  }),
  encodeConsumeResponse({ type: "batches", batches, headroomBytes: 0, ...ends }),
  encodeConsumeResponse({ type: "logStartMoved", logStartOffset: 5, ...ends }),
  encodeConsumeResponse({ type: "gap", firstOffset: 5, nextOffset: 2 ** 33, ...ends }),
  encodeFetchResponse({ nextOffset: 1, logStartOffset: 2 ** 33, headroomBytes: 0, batches, ...ends }),
];

function hostile(below: (limit: number) => number): Uint8Array {
  if (below(3) === 0) return Uint8Array.from({ length: below(40) }, () => below(256));
  const original = valid[below(valid.length)]!;
  const bytes = Uint8Array.from(original.subarray(0, below(4) === 0 ? below(original.length) : original.length));
  for (let i = below(4); i >= 0; i--) {
    const at = below(bytes.length + 1);
    if (below(4) === 0) bytes.fill(0xff, at, at + 11);
    else if (at < bytes.length) bytes[at] = below(256);
  }
  return bytes;
}

const decoders: Record<string, (bytes: Uint8Array) => Uint8Array[]> = {
  ProduceRequest: (bytes) => [decodeProduceRequest(bytes).batches],
  ConsumeResponse: (bytes) => {
    const event = decodeConsumeResponse(bytes);
    return event?.type === "batches" ? [event.batches] : [];
  },
  FetchResponse: (bytes) => [decodeFetchResponse(bytes).batches],
  ProduceStreamResponse: (bytes) => {
    decodeStreamedAck(bytes);
    return [];
  },
  FileDescriptorSet: descriptorFiles,
};

describe.each(Object.entries(decoders))("%s", (_message, decode) => {
  test(`${CASES} malformed messages`, () => {
    const below = randomNumbers(seed);
    let [decoded, refused] = [0, 0];
    for (let i = 0; i < CASES; i++) {
      const bytes = hostile(below);
      try {
        const views = decode(bytes);
        decoded++;
        const isWithin = views.every(({ buffer, byteLength }) => buffer === bytes.buffer && byteLength <= bytes.length);
        if (!isWithin) expect.fail(`a view beyond the message: PROTOCOL_SEED=${seed}, case ${i}`);
      } catch (error) {
        if (!(error instanceof RangeError)) throw new Error(`PROTOCOL_SEED=${seed}, case ${i}`, { cause: error });
        refused++;
      }
    }
    expect(Math.min(decoded, refused), `PROTOCOL_SEED=${seed}`).toBeGreaterThan(CASES / 20);
  });
});
