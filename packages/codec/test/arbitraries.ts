/** Records, batches and damage for the property tests. CODEC_RUNS sets the number of runs. */
import fc from "fast-check";
import {
  type Bytes,
  RecordBatchBuilder,
  type RecordBatchBuilderOptions,
  type RecordInput,
  writeServerHalf,
} from "../src/index.js";

export const runs = { numRuns: Number(process.env["CODEC_RUNS"] ?? 500) };

/** Any UTF-16, including lone surrogates, as well as normal text. */
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("\u{feff}", "\ud800", "\udc00\ud800", "a".repeat(48), "a".repeat(49), "é".repeat(48)),
);
const sized = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 20_000 }));
const bytes: fc.Arbitrary<Bytes> = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: sized.map(([byte, length]) => new Uint8Array(length).fill(byte)) },
);
const timestamp = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.integer({ min: -(2 ** 51) + 1, max: 2 ** 51 }),
);
const headers = fc.array(fc.record({ name: text, value: bytes }), { maxLength: 4 });

export type TimedRecord = RecordInput & { readonly key: Bytes | null; readonly timestamp: number };

export const records: fc.Arbitrary<TimedRecord[]> = fc.array(
  fc.record({ key: fc.option(bytes), value: bytes, timestamp, headers: fc.option(headers, { nil: undefined }) }),
  { minLength: 1, maxLength: 12 },
);

export const compression = fc.constantFrom("none", "gzip", "zstd");

const offset = fc.oneof(
  fc.constant(0),
  fc.maxSafeNat().map((n) => Math.floor(n / 2)),
);
const serverHalf = fc.record({ baseOffset: offset, appendTime: offset, flushedUpTo: offset });

/** A sealed batch, whether or not a partition has accepted it. */
export const batch: fc.Arbitrary<Uint8Array> = fc
  .tuple(records, compression, fc.option(serverHalf))
  .map(([input, name, half]) => {
    const [sealed] = sealAll(input, { compression: name });
    if (half !== null) writeServerHalf(sealed!, half);
    return Uint8Array.from(sealed!);
  });

export function sealAll(input: readonly TimedRecord[], options: RecordBatchBuilderOptions): Uint8Array[] {
  const builder = new RecordBatchBuilder(options);
  const sealed: Uint8Array[] = [];
  for (const { key, value, timestamp, headers } of input) {
    if (builder.append(key, value, timestamp, headers)) continue;
    sealed.push(builder.seal());
    if (!builder.append(key, value, timestamp, headers)) throw new Error("an empty batch took no record");
  }
  sealed.push(builder.seal());
  return sealed;
}

type Damage = (bytes: Uint8Array) => Uint8Array;

const place = fc.oneof(fc.nat({ max: 90 }), fc.nat()); // the header and the first record as often as everything else
const edit = (change: (bytes: Uint8Array, at: number) => void): fc.Arbitrary<Damage> =>
  place.map((at) => (bytes) => {
    const damaged = Uint8Array.from(bytes);
    if (bytes.length > 0) change(damaged, at % bytes.length);
    return damaged;
  });

const flipBit = fc.nat({ max: 7 }).chain((bit) => edit((bytes, at) => (bytes[at]! ^= 1 << bit)));
const interesting = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat({ max: 255 }));
const overwrite = interesting.chain((byte) => edit((bytes, at) => (bytes[at] = byte)));
const overwriteMany = fc
  .uint8Array({ minLength: 1, maxLength: 8 })
  .chain((run) => edit((bytes, at) => bytes.set(run.subarray(0, bytes.length - at), at)));
const truncate = place.map(
  (at): Damage =>
    (bytes) =>
      bytes.slice(0, at % (bytes.length + 1)),
);
const remove = fc.tuple(place, fc.integer({ min: 1, max: 9 })).map(
  ([place, length]): Damage =>
    (bytes) => {
      const at = place % (bytes.length + 1);
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
    },
);
const insert = fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 9 })).map(
  ([place, run]): Damage =>
    (bytes) => {
      const at = place % (bytes.length + 1);
      return Uint8Array.from([...bytes.subarray(0, at), ...run, ...bytes.subarray(at)]);
    },
);

/** One to three kinds of damage, applied in order. */
export const damage: fc.Arbitrary<Damage> = fc
  .array(fc.oneof(flipBit, overwrite, overwriteMany, truncate, remove, insert), { minLength: 1, maxLength: 3 })
  .map((steps) => (bytes) => steps.reduce((damaged, step) => step(damaged), bytes));

/** The start of one batch and the end of another, as a lost write may leave them. */
export const splice = fc.tuple(place, place).map(
  ([end, start]) =>
    (a: Uint8Array, b: Uint8Array) =>
      Uint8Array.from([...a.subarray(0, end % (a.length + 1)), ...b.subarray(start % (b.length + 1))]),
);
