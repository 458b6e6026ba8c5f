import { describe, expect, test } from "vitest";
import {
  defaultBatchLimits,
  HEADER_LENGTH,
  MIN_BATCH_LENGTH,
  RecordBatch,
  RecordBatchBuilder,
  type RecordBatchBuilderOptions,
  type RecordInput,
} from "./index.js";

const values = (batch: Uint8Array): string[] => [...RecordBatch.parse(batch).verify()].map(({ value }) => text(value));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const code = (code: string) => expect.objectContaining({ code });

describe("text", () => {
  // Short and long texts are encoded in different ways.
  test.each([1, 24, 25, 47, 1_000])("of %d characters is stored as UTF-8", (length) => {
    const ends = ["z", "\u00e9", "\u20ac", "\u{1f600}", "\ud83d", "\ude00"]; // the last two: half a surrogate pair
    const texts = ends.flatMap((end) => [end.padStart(length, "x"), end.padEnd(length, "x"), end.repeat(length)]);
    const builder = new RecordBatchBuilder();
    for (const one of texts) builder.append(one, one, 0, [{ name: one, value: one }]);
    const expected = texts.map((one) => hex(new TextEncoder().encode(one)));
    const records = [...RecordBatch.parse(builder.seal()).verify()];
    expect(records.map(({ key }) => hex(key!))).toEqual(expected);
    expect(records.map(({ value }) => hex(value))).toEqual(expected);
    expect(records.map(({ headers }) => hex(headers[0]!.value))).toEqual(expected);
    expect(records.map(({ headers }) => headers[0]!.name)).toEqual(texts.map((one) => one.toWellFormed()));
  });
});

describe("size", () => {
  test("a batch is filled up to exactly its target size", () => {
    // A null key and a value of two bytes make a record of 5 bytes.
    const builder = new RecordBatchBuilder({ targetBytes: HEADER_LENGTH + 10 });
    expect([1, 2, 3].map(() => builder.append(null, "ab", 0))).toEqual([true, true, false]);
    expect(builder.recordCount).toBe(2);
    expect(builder.byteLength).toBe(HEADER_LENGTH + 10);
    expect(values(builder.seal())).toEqual(["ab", "ab"]);
    expect(builder.append(null, "ab", 0)).toBe(true);
    expect(values(builder.seal())).toEqual(["ab"]);
  });

  test("a record larger than the target gets a batch of its own", () => {
    const builder = new RecordBatchBuilder({ targetBytes: 100 });
    builder.append(null, "small", 0);
    expect(builder.append(null, "x".repeat(5000), 0)).toBe(false);
    expect(values(builder.seal())).toEqual(["small"]);
    expect(builder.append(null, "x".repeat(5000), 0)).toBe(true);
    expect(builder.append(null, "", 0)).toBe(false);
    expect(values(builder.seal())).toEqual(["x".repeat(5000)]);
  });

  test("the default target is 1 MiB", () => {
    const builder = new RecordBatchBuilder();
    const value = new Uint8Array(1000);
    while (builder.append(null, value, 0));
    const length = builder.seal().length;
    expect(length).toBeLessThanOrEqual(1024 * 1024);
    expect(length).toBeGreaterThan(1024 * 1024 - 1010);
  });

  test("the smallest batch", () => {
    const builder = new RecordBatchBuilder();
    builder.append(null, "", 0);
    expect(builder.seal()).toHaveLength(MIN_BATCH_LENGTH);
  });

  const largest = { maxBatchBytes: 1000, maxRecordsBytes: 1000 };
  test.each([
    ["batch", largest, 1000],
    ["records", { maxBatchBytes: 2000, maxRecordsBytes: 500 }, HEADER_LENGTH + 500],
  ])(
    "a record that no batch can hold is refused by the cap on the %s, and nothing of it is written",
    (_, limits, cap) => {
      const builder = new RecordBatchBuilder({ limits });
      const room = cap - HEADER_LENGTH - 4; // two bytes of record length, one of timestamp delta, one for the null key
      expect(() => builder.append(null, "x".repeat(room + 1), 0)).toThrow(
        expect.objectContaining({ code: "RECORD_TOO_LARGE", expected: cap, actual: cap + 1 }),
      );
      expect(builder.recordCount).toBe(0);
      expect(builder.byteLength).toBe(HEADER_LENGTH);
      expect(builder.append(null, "x".repeat(room), 0)).toBe(true);
      const sealed = builder.seal();
      expect(sealed).toHaveLength(cap);
      expect([...RecordBatch.parse(sealed, 0, limits).verify()]).toHaveLength(1);
    },
  );

  test("a target above the limit is lowered to the limit", () => {
    const builder = new RecordBatchBuilder({ targetBytes: 10_000, limits: largest });
    while (builder.append(null, "x".repeat(90), 0));
    expect(RecordBatch.parse(builder.seal(), 0, largest).recordCount).toBe(9);
  });
});

describe("seal", () => {
  test("sealing an empty batch is an InvalidArgumentError", () => {
    expect(() => new RecordBatchBuilder().seal()).toThrow(code("INVALID_ARGUMENT"));
  });

  test("so is sealing again without a new record", () => {
    const builder = new RecordBatchBuilder();
    builder.append(null, "a", 0);
    builder.seal();
    expect(() => builder.seal()).toThrow(code("INVALID_ARGUMENT"));
  });

  test.each(["none", "gzip"])("a sealed batch (%s) does not change when the builder goes on", (compression) => {
    const builder = new RecordBatchBuilder({ compression });
    builder.append(null, "first".repeat(100), 5);
    const first = builder.seal();
    const copy = Uint8Array.from(first);
    for (let i = 0; i < 100; i++) builder.append(null, "second".repeat(100), 6);
    builder.seal();
    expect(Uint8Array.from(first)).toEqual(copy);
  });

  test("the base timestamp is that of the first record, also in the next batch", () => {
    const builder = new RecordBatchBuilder();
    for (const timestamp of [1000, 7]) {
      builder.append(null, "a", timestamp);
      builder.append(null, "b", timestamp + 3);
      const batch = RecordBatch.parse(builder.seal());
      expect(batch.baseTimestamp).toBe(timestamp);
      expect([...batch].map((record) => record.timestamp)).toEqual([timestamp, timestamp + 3]);
    }
  });

  test.each(["none", "gzip"])("headroom is kept free before the batch (%s)", (compression) => {
    const builder = new RecordBatchBuilder({ headroomBytes: 13, compression });
    for (let i = 0; i < 2; i++) {
      builder.append(null, "a".repeat(3000), 0);
      const batch = builder.seal();
      expect(batch.byteOffset).toBe(13);
      new Uint8Array(batch.buffer, 0, 13).fill(0xee);
      expect(values(batch)).toEqual(["a".repeat(3000)]);
    }
  });
});

test.each([0, 100, 10_000])("an expected length of %d bytes changes nothing in the batch", (expectedBytes) => {
  const [plain, told] = [new RecordBatchBuilder(), new RecordBatchBuilder({ expectedBytes, headroomBytes: 5 })];
  for (const builder of [plain, told]) for (let i = 0; i < 50; i++) builder.append(`key ${i}`, "x".repeat(i), i);
  expect(told!.seal()).toEqual(plain!.seal());
});

describe("runs of plain records", () => {
  /** Adds records as callers do: in runs, and one by one what is not plain or does not fit. */
  function sealedInRuns(records: readonly RecordInput[], options: RecordBatchBuilderOptions): Uint8Array[] {
    const builder = new RecordBatchBuilder(options);
    const sealed: Uint8Array[] = [];
    for (let i = 0; i < records.length; i = builder.appendPlain(records, i + 1, NOW)) {
      if (appendOne(builder, records[i]!)) continue;
      sealed.push(builder.seal());
      appendOne(builder, records[i]!);
    }
    return [...sealed, builder.seal()];
  }

  function sealedOneByOne(records: readonly RecordInput[], options: RecordBatchBuilderOptions): Uint8Array[] {
    const builder = new RecordBatchBuilder(options);
    const sealed: Uint8Array[] = [];
    for (const record of records) {
      if (appendOne(builder, record)) continue;
      sealed.push(builder.seal());
      appendOne(builder, record);
    }
    return [...sealed, builder.seal()];
  }

  const NOW = 1_700_000_000_000;
  const appendOne = (builder: RecordBatchBuilder, { key = null, value, timestamp = NOW, headers }: RecordInput) =>
    builder.append(key, value, Number(timestamp), headers);

  test("give the same batches as one record at a time", () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return (state >>> 8) % below;
    };
    const bytes = (length: number) => new Uint8Array(length).fill(random(256));
    const keys = () => [undefined, null, "text", bytes(0), bytes(3), bytes(200)][random(6)];
    const timestamps = () => [undefined, undefined, NOW, NOW + random(1e9), NOW - 2 ** 40, 2 ** 52, 0][random(7)];
    const record = (): RecordInput => ({
      key: keys(),
      value: random(8) === 0 ? "text" : bytes(random(random(5) === 0 ? 20_000 : 150)),
      timestamp: timestamps(),
      headers: random(10) === 0 ? [{ name: "h", value: bytes(2) }] : undefined,
    });
    for (let round = 0; round < 50; round++) {
      const records = Array.from({ length: 1 + random(60) }, record);
      const options = { targetBytes: 200 + random(30_000), headroomBytes: random(10), expectedBytes: random(2_000) };
      const [inRuns, oneByOne] = [sealedInRuns(records, options), sealedOneByOne(records, options)];
      expect(inRuns.map(hex), `seed ${seed}`).toEqual(oneByOne.map(hex));
    }
  });

  const plain = { value: new Uint8Array(5) };
  test.each<[string, unknown]>([
    ["no object", null],
    ["a value in text", { value: "text" }],
    ["no value", {}],
    ["a key in text", { ...plain, key: "text" }],
    ["a key of another type", { ...plain, key: 1 }],
    ["headers", { ...plain, headers: [] }],
    ["a date", { ...plain, timestamp: new Date(0) }],
    ["a fraction of a millisecond", { ...plain, timestamp: 0.5 }],
    ["no number", { ...plain, timestamp: Number.NaN }],
    ["a timestamp too far from the first", { ...plain, timestamp: NOW + 2 ** 52 }],
    ["more than fits", { value: new Uint8Array(1000) }],
  ])("end before a record with %s", (_, record) => {
    const builder = new RecordBatchBuilder({ targetBytes: 200 });
    builder.append(null, "first", NOW);
    expect(builder.appendPlain([plain, plain, record as RecordInput, plain], 0, NOW)).toBe(2);
    expect(builder.recordCount).toBe(3);
    expect([...RecordBatch.parse(builder.seal()).verify()]).toHaveLength(3);
  });

  test("do not begin a batch", () => {
    expect(new RecordBatchBuilder().appendPlain([plain], 0, NOW)).toBe(0);
  });

  test("add nothing if a property of a record throws", () => {
    const builder = new RecordBatchBuilder();
    builder.append(null, "first", NOW);
    const bad = {
      get value(): never {
        throw new Error("no value");
      },
    };
    expect(() => builder.appendPlain([{ value: new Uint8Array(5_000) }, bad], 0, NOW)).toThrow("no value");
    expect(values(builder.seal())).toEqual(["first"]);
  });
});

describe("compression", () => {
  test.each(["gzip", "zstd"])("%s makes repetitive records smaller", (compression) => {
    const builder = new RecordBatchBuilder({ compression });
    builder.append(null, "a".repeat(10_000), 0);
    const batch = RecordBatch.parse(builder.seal()).verify();
    expect(batch.compression).toBe(compression);
    expect(batch.byteLength).toBeLessThan(300);
    expect(batch.recordsLength).toBe(10_005);
  });

  test.each(["gzip", "zstd"])("records that %s does not shrink are stored as they are", (compression) => {
    const builder = new RecordBatchBuilder({ compression });
    builder.append(null, "a", 0);
    const sealed = builder.seal();
    expect(RecordBatch.parse(sealed).compression).toBe("none");
    expect(values(sealed)).toEqual(["a"]);
  });

  test("an unknown compression is rejected by the constructor", () => {
    expect(() => new RecordBatchBuilder({ compression: "lzma" })).toThrow(code("UNSUPPORTED_COMPRESSION"));
  });
});

describe("timestamps", () => {
  const { MAX_SAFE_INTEGER } = Number;

  test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53)])("%d is rejected", (timestamp) => {
    const builder = new RecordBatchBuilder();
    expect(() => builder.append(null, "a", timestamp)).toThrow(code("INVALID_ARGUMENT"));
    expect(builder.recordCount).toBe(0);
  });

  test.each([2 ** 52, -(2 ** 52)])("%d ms from the first needs another batch, and nothing is written", (delta) => {
    const builder = new RecordBatchBuilder();
    builder.append(null, "a", 0);
    expect(builder.append(null, "b", delta)).toBe(false);
    expect(builder.append(null, "c", delta - Math.sign(delta))).toBe(true);
    const records = [...RecordBatch.parse(builder.seal()).verify()];
    expect(records.map(({ timestamp }) => timestamp)).toEqual([0, delta - Math.sign(delta)]);
  });

  test.each([MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER])("%d, a limit of the safe integers, is kept", (timestamp) => {
    const builder = new RecordBatchBuilder();
    builder.append(null, "a", timestamp);
    expect([...RecordBatch.parse(builder.seal())][0]?.timestamp).toBe(timestamp);
  });
});

test("the default limits are those of the format page", () => {
  expect(defaultBatchLimits).toEqual({ maxBatchBytes: 16 * 2 ** 20, maxRecordsBytes: 64 * 2 ** 20 });
});

test("a short batch after the first keeps no more memory than its size suggests", () => {
  const builder = new RecordBatchBuilder({ headroomBytes: 10 });
  for (let i = 0; i < 3; i++) {
    builder.append(null, new Uint8Array(100), 0);
    const batch = builder.seal();
    if (i > 0) expect(batch.buffer.byteLength).toBeLessThan(2 * batch.length);
  }
});
