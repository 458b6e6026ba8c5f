/** Bytes for tests. */
import { type ProducerStamp, RecordBatchBuilder, type RecordInput } from "@logstore/codec";

const decoder = new TextDecoder();

export function utf8(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : decoder.decode(bytes);
}

/** Seals a batch of records without keys. */
export function sealedBatch(values: readonly RecordInput["value"][], stamp?: ProducerStamp): Uint8Array {
  const builder = new RecordBatchBuilder({ targetBytes: 16 * 1024 * 1024 });
  for (const value of values) builder.append(null, value, 1_000);
  return builder.seal(stamp);
}

/** A generator of numbers in [0, 1), repeatable by its seed (Mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
