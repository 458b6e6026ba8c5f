/** Files with the damage that crashes, full disks and bit rot leave. */
import { describe, expect, test } from "vitest";
import { A, AGAIN, bilogRecord, EMPTY, HELLO, hex, importFile } from "../../test/bilog.js";

function flipped(bytes: Uint8Array, byte: number, bit = 0): Buffer {
  const copy = Buffer.from(bytes);
  copy[byte]! ^= 1 << bit;
  return copy;
}

describe("a torn record", () => {
  test("at the end, truncated at any byte", async () => {
    for (let length = 1; length < AGAIN.length; length++) {
      const found = await importFile([HELLO, AGAIN.subarray(0, length)]);
      expect(found.values).toEqual(["Hello World!"]);
      expect(found.damaged).toEqual([{ byte: 24, length, reason: "torn" }]);
    }
  });

  test("in the middle, truncated at any byte: the records after it are found", async () => {
    for (let length = 1; length < HELLO.length; length++) {
      const found = await importFile([A, HELLO.subarray(0, length), AGAIN, HELLO]);
      expect(found.values).toEqual(["a", "again", "Hello World!"]);
      expect(found.damaged).toMatchObject([{ byte: 13, length }]);
      expect(found.damagedBytes).toBe(length);
    }
  });

  test("in the middle, longer than everything written after it", async () => {
    const torn = bilogRecord(Buffer.alloc(1000)).subarray(0, 700);
    const found = await importFile([HELLO, torn, AGAIN, A]);
    expect(found.values).toEqual(["Hello World!", "again", "a"]);
    expect(found.damaged).toEqual([{ byte: 24, length: 700, reason: "torn" }]);
  });

  test("in the middle, with a length that reaches far into the records after it", async () => {
    const torn = bilogRecord(Buffer.alloc(2_000_000)).subarray(0, 700);
    const found = await importFile([torn, AGAIN, bilogRecord(Buffer.alloc(3_000_000)), A]);
    expect(found.values.map(({ length }) => length)).toEqual([5, 3_000_000, 1]);
    expect(found.damaged).toEqual([{ byte: 0, length: 700, reason: "checksum" }]);
  });
});

describe("rot", () => {
  test("in a payload costs only that record", async () => {
    const found = await importFile([HELLO, flipped(AGAIN, 14), A]);
    expect(found).toMatchObject({ values: ["Hello World!", "a"], records: 2, bytes: 54, damagedBytes: 17 });
    expect(found.damaged).toEqual([{ byte: 24, length: 17, reason: "checksum" }]);
  });

  test("in the last payload", async () => {
    const found = await importFile([HELLO, flipped(AGAIN, 16, 7)]);
    expect(found.damaged).toEqual([{ byte: 24, length: 17, reason: "checksum" }]);
  });

  test("in two adjacent records is reported as one range", async () => {
    const found = await importFile([A, flipped(AGAIN, 14), flipped(HELLO, 20), A]);
    expect(found.values).toEqual(["a", "a"]);
    expect(found.damaged).toEqual([{ byte: 13, length: 41, reason: "checksum" }]);
  });

  test("of any single bit costs at most one record, and is reported at its position", async () => {
    const parts = [A, HELLO, AGAIN, A];
    const whole = Buffer.concat(parts);
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const byte = bit >> 3;
      const hit = byte < 13 ? 0 : byte < 37 ? 1 : byte < 54 ? 2 : 3;
      const found = await importFile([flipped(whole, byte, bit & 7)]);
      expect(found.values).toEqual(["a", "Hello World!", "again", "a"].toSpliced(hit, 1));
      expect(found.damaged).toMatchObject([{ byte: [0, 13, 37, 54][hit], length: parts[hit]!.length }]);
    }
  });
});

describe("a length that no record can have", () => {
  test.each([
    ["0", "00 00 00 00 00 00 00 00"],
    ["less than its own header", "00 00 00 00 00 00 00 0b"],
    ["beyond 2^53", "7f ff ff ff ff ff ff ff"],
    ["2^64 - 1", "ff ff ff ff ff ff ff ff"],
    ["4 GiB and a sensible one", "00 00 00 01 00 00 00 18"],
  ])("%s", async (_, length) => {
    const found = await importFile([HELLO, hex(length), HELLO.subarray(8), AGAIN]);
    expect(found.values).toEqual(["Hello World!", "again"]);
    expect(found.damaged).toEqual([{ byte: 24, length: 24, reason: "length" }]);
  });

  test("zeros after a power failure, longer than one read", async () => {
    const found = await importFile([HELLO, new Uint8Array(3_000_001), AGAIN]);
    expect(found.values).toEqual(["Hello World!", "again"]);
    expect(found.damaged).toEqual([{ byte: 24, length: 3_000_001, reason: "length" }]);
  });

  test("zeros that end at any position near the end of a read", async () => {
    for (let length = 1024 * 1024 - 24 - 16; length <= 1024 * 1024 - 24; length++) {
      const found = await importFile([HELLO, new Uint8Array(length), AGAIN]);
      expect(found.damaged).toEqual([{ byte: 24, length, reason: "length" }]);
    }
  });

  test("zeros up to the end", async () => {
    const found = await importFile([HELLO, new Uint8Array(4096)]);
    expect(found.damaged).toEqual([{ byte: 24, length: 4096, reason: "length" }]);
  });

  test("above the caller's limit: skipped as a whole, including records inside its payload", async () => {
    const long = bilogRecord(Buffer.concat([A, A, A]));
    const found = await importFile([A, long, HELLO], 40);
    expect(found.values).toEqual(["a", "Hello World!"]);
    expect(found.damaged).toEqual([{ byte: 13, length: 51, reason: "length" }]);
  });
});

test("a file of another format is reported from its first byte on", async () => {
  const littleEndian = hex("10 00 00 00 00 00 00 00  9c 12 95 fa  48 65 6c 6c 6f 20 57 6f 72 6c 64 21");
  const found = await importFile([littleEndian, littleEndian]);
  expect(found).toMatchObject({ records: 0, damaged: [{ byte: 0, length: 48, reason: "length" }] });
});

test("a record without payload does not count as a resynchronization point", async () => {
  const found = await importFile([flipped(HELLO, 20), EMPTY, AGAIN]);
  expect(found.values).toEqual(["again"]);
  expect(found.damaged).toEqual([{ byte: 0, length: 36, reason: "checksum" }]);
});

test("a file that is crafted to keep the search busy is reported as unread", async () => {
  const lure = hex("00 00 00 00 00 10 00 00  ff ff ff ff"); // 1 MiB, with a checksum that a payload could have
  const file = Buffer.alloc(3 * 1024 * 1024, lure);
  const found = await importFile([HELLO, file]);
  expect(found.values).toEqual(["Hello World!"]);
  expect(found.damaged).toEqual([{ byte: 24, length: file.length, reason: "unread" }]);
});

test("the report of very many damaged ranges lists the first 1,000 and counts the bytes of all", async () => {
  const found = await importFile(Array.from({ length: 1500 }, () => [flipped(AGAIN, 16), A]).flat());
  expect(found.damaged).toHaveLength(1000);
  expect(found).toMatchObject({ records: 1500, damagedBytes: 1500 * 17 });
});
