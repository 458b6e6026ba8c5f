import { describe, expect, test } from "vitest";
import { HEADER_LENGTH, RecordBatch, RecordBatchBuilder } from "./index.js";

const headers = [{ name: "h", value: "header" }];
const text = (bytes: Uint8Array | null | undefined): string | null => (bytes ? new TextDecoder().decode(bytes) : null);

function seal(...values: string[]): Uint8Array {
  const builder = new RecordBatchBuilder();
  for (const value of values) builder.append("key", value, 0, headers);
  return builder.seal();
}

describe("views", () => {
  test("keys, values and header values are views of the batch's buffer", () => {
    const sealed = seal("value");
    const [record] = RecordBatch.parse(sealed);
    for (const view of [record!.key!, record!.value, record!.headers[0]!.value])
      expect(view.buffer).toBe(sealed.buffer);
    expect(record!.value.byteOffset).toBe(sealed.byteOffset + HEADER_LENGTH + 1 + 1 + 1 + 3 + 1);
    sealed[HEADER_LENGTH + 3] = "K".charCodeAt(0);
    expect(text(record!.key)).toBe("Key");
  });

  test("so are the views of a cursor", () => {
    const sealed = seal("value");
    const cursor = RecordBatch.parse(sealed).cursor();
    cursor.next();
    for (const view of [cursor.key!, cursor.value, cursor.headers[0]!.value]) expect(view.buffer).toBe(sealed.buffer);
  });

  test("a record stays valid when the cursor moves on", () => {
    const cursor = RecordBatch.parse(seal("first", "second")).cursor();
    cursor.next();
    const first = cursor.record;
    cursor.next();
    expect([first.offset, text(first.key), text(first.value), text(first.headers[0]!.value)]).toEqual([
      0,
      "key",
      "first",
      "header",
    ]);
  });
});

describe("cursor", () => {
  test("walks the records once and stays at the end", () => {
    const cursor = RecordBatch.parse(seal("a", "b")).cursor();
    const seen: unknown[] = [];
    while (cursor.next()) seen.push([cursor.offset, text(cursor.value), cursor.hasHeaders]);
    expect(seen).toEqual([
      [0, "a", true],
      [1, "b", true],
    ]);
    expect(cursor.next()).toBe(false);
  });

  test("headers can be read twice, and between key and value", () => {
    const cursor = RecordBatch.parse(seal("a", "b")).cursor();
    cursor.next();
    expect(cursor.headers).toEqual(cursor.headers);
    expect(text(cursor.value)).toBe("a");
    cursor.next();
    expect(text(cursor.value)).toBe("b");
  });

  test("a batch can be iterated again", () => {
    const batch = RecordBatch.parse(seal("a"));
    expect([...batch].map(({ offset }) => offset)).toEqual([...batch].map(({ offset }) => offset));
  });
});

describe("parse", () => {
  test("parses from the middle of a buffer, and errors contain the position", () => {
    const sealed = seal("a");
    const bytes = new Uint8Array(10 + sealed.length);
    bytes.set(sealed, 10);
    expect([...RecordBatch.parse(bytes, 10).verify()]).toHaveLength(1);
    bytes[10] = 0;
    expect(() => RecordBatch.parse(bytes, 10)).toThrow(expect.objectContaining({ code: "FOREIGN_FORMAT", byte: 10 }));
  });

  test("does not check the records; verify does", () => {
    const sealed = seal("a");
    sealed[HEADER_LENGTH + 6]! ^= 1;
    const batch = RecordBatch.parse(sealed);
    expect(() => batch.verify()).toThrow(expect.objectContaining({ code: "CORRUPT_BATCH", offset: 0 }));
  });

  test("the reader's own limits apply exactly", () => {
    const sealed = seal("a");
    const records = sealed.length - HEADER_LENGTH;
    const parse = (maxBatchBytes: number, maxRecordsBytes: number) => () =>
      RecordBatch.parse(sealed, 0, { maxBatchBytes, maxRecordsBytes });
    const tooLarge = (actual: number) =>
      expect.objectContaining({ code: "BATCH_TOO_LARGE", expected: actual - 1, actual });
    expect(parse(sealed.length, records)).not.toThrow();
    expect(parse(sealed.length - 1, records)).toThrow(tooLarge(sealed.length));
    expect(parse(sealed.length, records - 1)).toThrow(tooLarge(records));
  });
});
