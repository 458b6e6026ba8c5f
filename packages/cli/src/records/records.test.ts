/** Each format reads back exactly what was written, for any bytes. */
import type { HeaderInput } from "@logstore/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvPieces } from "./csv-reader.js";
import { CsvWriter } from "./csv-writer.js";
import type { ImportedRecord, ImportPiece } from "./imported-record.js";
import { linePieces } from "./line-pieces.js";
import { ndjsonPieces } from "./ndjson-reader.js";
import { NdjsonWriter } from "./ndjson-writer.js";
import type { RecordWriter } from "./record-writer.js";

interface Plain {
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array }[];
}

const text = fc.oneof(
  fc.string({ unit: "binary" }).map((each) => Buffer.from(each)),
  fc.json().map((each) => Buffer.from(each)),
  fc.string().map((each) => Buffer.from(each)),
);
const anyBytes = fc.oneof(text, fc.uint8Array({ maxLength: 40 }));
const record: fc.Arbitrary<Plain> = fc.record({
  timestamp: fc.oneof(fc.integer({ min: 0, max: 2e12 }), fc.maxSafeInteger()),
  key: fc.option(anyBytes),
  value: anyBytes,
  headers: fc.array(fc.record({ name: fc.string({ unit: "grapheme" }), value: anyBytes }), { maxLength: 3 }),
});

function written(writer: RecordWriter, records: readonly Plain[]): Buffer {
  writer.begin("a topic", 3);
  for (const [offset, each] of records.entries()) writer.write({ offset, ...each });
  return Buffer.from(writer.take());
}

/** Returns the bytes in chunks of odd sizes, as a pipe delivers them. */
async function* chunks(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(pieces: AsyncIterable<ImportPiece>): Promise<ImportedRecord[]> {
  const found: ImportedRecord[] = [];
  for await (const piece of pieces) found.push(...piece);
  return found;
}

const bytesOf = (value: string | Uint8Array) => Buffer.from(value as string);

function plain({ timestamp, key, value, headers }: ImportedRecord): Plain {
  return {
    timestamp: timestamp!,
    key: key === null ? null : bytesOf(key),
    value: bytesOf(value),
    headers: (headers ?? []).map((header: HeaderInput) => ({ name: header.name, value: bytesOf(header.value) })),
  };
}

const formats = {
  NDJSON: { writer: () => new NdjsonWriter(), read: (bytes: Buffer) => ndjsonPieces(chunks(bytes)) },
  CSV: {
    writer: () => new CsvWriter(),
    read: (bytes: Buffer) => csvPieces(chunks(bytes), { skippedLines: 0, jsonRows: false, keyColumn: undefined }),
  },
};

test.each(Object.entries(formats))("%s: any records come back as they were", async (_, { writer, read }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 8 }), async (records) => {
      const found = await readAll(read(written(writer(), records)));
      expect(found.map(plain)).toEqual(records.map((each) => plain({ ...each, partition: 3 })));
      expect(found.every(({ partition }) => partition === 3)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("a line of NDJSON is JSON that anything reads", () => {
  const line = written(new NdjsonWriter(), [
    {
      timestamp: 1_700_000_000_000,
      key: Buffer.from('"k"\n'),
      value: Uint8Array.of(0xff),
      headers: [{ name: "a", value: Buffer.from("b") }],
    },
  ]);
  expect(JSON.parse(line.toString())).toEqual({
    topic: "a topic",
    partition: 3,
    offset: 0,
    timestamp: 1_700_000_000_000,
    key: '"k"\n',
    valueBase64: "/w==",
    headers: [{ name: "a", value: "b" }],
  });
});

const firstValue = async (line: string) => (await readAll(ndjsonPieces(chunks(Buffer.from(line)))))[0]?.value;

test("a line is as long as the records of the largest batch make it", async () => {
  const value = Buffer.alloc(12 * 1024 * 1024, 1); // 72 MiB of \\u0001
  const bytes = written(new NdjsonWriter(), [{ timestamp: 1, key: null, value, headers: [] }]);
  const found = await readAll(ndjsonPieces(chunks(bytes, 64 * 1024)));
  expect(found).toHaveLength(1);
  expect(value.equals(bytesOf(found[0]!.value))).toBe(true);
});

test("a line that is too long is refused before it is read to its end", async () => {
  let read = 0;
  async function* endless() {
    for (;;) yield Buffer.alloc(1_000, 97 + (++read % 26));
  }
  const input = async function* () {
    yield Buffer.from("a\nb\n");
    yield* endless();
  };
  const pieces = linePieces(input(), 300_000);
  expect((await pieces.next()).value).toMatchObject({ firstLine: 1 });
  await expect(pieces.next()).rejects.toThrow("line 3: the line is longer than 300000 bytes");
  expect(read).toBeLessThan(700);
});

test("lines of others are read, too", async () => {
  const time = (timestamp: string) => `{"value":"v","timestamp":${timestamp}}\r\n`;
  const [first, second] = await readAll(
    ndjsonPieces(chunks(Buffer.from(time('"2026-11-27T09:30:00Z"') + time("null")))),
  );
  expect(first).toEqual({
    key: null,
    value: "v",
    timestamp: Date.UTC(2026, 10, 27, 9, 30),
    headers: undefined,
    partition: undefined,
  });
  expect(second!.timestamp).toBeUndefined();
  expect(await firstValue('  {"headers":{"a":"b"},"value":"\\u00e9"}')).toBe("é");
  expect(await firstValue("\n\n")).toBeUndefined();
});

describe("what is no record is refused with its line", () => {
  test.each([
    ["{", "line 2: this is not JSON"],
    ['"text"', 'line 2: a record is an object such as {"key":"k","value":"v"}, not "text"'],
    ['{"key":"k"}', 'line 2: there is no "value"'],
    ['{"value":1}', 'line 2: "value" must be a string, not 1'],
    ['{"value":"\\ud800"}', "half of a surrogate pair"],
    ['{"valueBase64":"%%"}', '"valueBase64" is not base64'],
    ['{"valueBase64":"aaaaa"}', '"valueBase64" is not base64'],
    ['{"value":"a","valueBase64":"aaaa"}', "exclude each other"],
    ['{"value":"a","timestamp":1.5}', '"timestamp" must be ms'],
    ['{"value":"a","partition":-1}', '"partition" must be a whole number'],
    ['{"value":"a","headers":3}', '"headers" must be a list'],
    ['{"value":"a","headers":[{"name":"n"}]}', 'there is no "value"'],
    ['{"topic":"t","partition":0,"offset":0,"timestamp":01,"key":null,"value":"v"}', "this is not JSON"],
    ['{"topic":"t","partition":0,"offset":0,"timestamp":1,"key":null,"value":"a\tb"}', "this is not JSON"],
  ])("%s", async (line, problem) => {
    const input = Buffer.from(`{"value":"first"}\n${line}\n`);
    await expect(readAll(ndjsonPieces(chunks(input)))).rejects.toThrow(problem);
  });

  test("bytes that are no UTF-8", async () => {
    const input = Buffer.concat([Buffer.from('{"value":"first"}\n{"value":"'), Buffer.of(0xff), Buffer.from('"}\n')]);
    await expect(readAll(ndjsonPieces(chunks(input)))).rejects.toThrow("line 2: this is not UTF-8");
  });

  test("CSV without a column for the value", async () => {
    const input = chunks(Buffer.from("id,name\n1,ada\n"));
    const options = { skippedLines: 0, jsonRows: false, keyColumn: undefined };
    await expect(readAll(csvPieces(input, options))).rejects.toThrow('line 2: there is no column "value"');
  });
});

test("rows of a CSV file become JSON objects", async () => {
  const input = chunks(Buffer.from('id,name\n1,"a ""b""\nc"\n2,d\n'));
  const found = await readAll(csvPieces(input, { skippedLines: 3, jsonRows: true, keyColumn: "id" }));
  expect(found).toMatchObject([{ key: "2", value: '{"id":"2","name":"d"}' }]);
});
