import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { frameBatches, RecordBatch, RecordBatchBuilder, validateBatches, writeServerHalf } from "../src/index.js";
import { type Golden, golden } from "./golden/v1/expected.js";
import { hexNames, parseHex, readHexFile, readNotes } from "./hex-file.js";
import { hex, plainInput, plainRecord, readAll } from "./plain-record.js";

const cases = Object.entries(golden);
const unassigned = { baseOffset: 0, appendTime: 0, flushedUpTo: 0 };
const unstamped = { producerId: -1, producerEpoch: 0, baseSequence: 0 };

test("every golden file has its expectation", () => {
  expect(hexNames(".").sort()).toEqual(Object.keys(golden).sort());
});

describe.each(cases)("%s", (name, expected) => {
  const bytes = readHexFile(name);

  test("header", () => {
    const batch = RecordBatch.parse(bytes);
    const { baseOffset, appendTime, flushedUpTo, producerId, producerEpoch, baseSequence } = batch;
    expect({ baseOffset, appendTime, flushedUpTo }).toEqual(expected.serverHalf ?? unassigned);
    expect({ producerId, producerEpoch, baseSequence }).toEqual(expected.stamp ?? unstamped);
    expect(batch.compression).toBe(expected.compression ?? "none");
    expect(batch.baseTimestamp).toBe(expected.records[0]!.timestamp);
    expect(batch.recordCount).toBe(expected.records.length);
    expect(batch.nextOffset).toBe(baseOffset + expected.records.length);
    expect(batch.byteLength).toBe(bytes.length);
  });

  test("records", () => {
    const batch = RecordBatch.parse(bytes).verify();
    expect([...batch].map(plainRecord)).toEqual(expected.records.map(plainInput));
    expect([...batch].map(({ offset }) => offset)).toEqual(expected.records.map((_, i) => batch.baseOffset + i));
  });
});

// A compressor's output may change with its version: only its decompressed form is part of the
// format.
test.each(cases.filter(([, expected]) => expected.compression === undefined))(
  "%s is encoded byte for byte",
  (name, expected) => {
    expect(hex(encode(expected))).toBe(hex(readHexFile(name)));
  },
);

test("consecutive golden batches are framed", () => {
  const files = cases.map(([name]) => readHexFile(name));
  const batches = [...frameBatches(Uint8Array.from(Buffer.concat(files)))];
  expect(batches.map((batch) => hex(batch.bytes))).toEqual(files.map(hex));
});

describe("corrupt", () => {
  test.each(hexNames("corrupt"))("%s", (name) => {
    const bytes = readHexFile(`corrupt/${name}`);
    const { error, ...found } = readNotes(`corrupt/${name}`);
    expect(error).toBeDefined();
    expect(() => readAll(bytes)).toThrow(expect.objectContaining({ code: error }));
    expect(() => validateBatches(bytes)).toThrow(expect.objectContaining({ code: error }));
    expect(whereRefused(bytes)).toEqual(found);
  });
});

test("the page's worked example is the golden file", () => {
  const page = readFileSync(new URL("../../../docs/format/record-batch.md", import.meta.url), "utf8");
  const block = /## Worked example[\s\S]*?```hex\n([\s\S]*?)```/.exec(page)?.[1];
  expect(hex(parseHex(block ?? ""))).toBe(hex(readHexFile("three-records")));
});

function encode({ records, stamp, serverHalf }: Golden): Uint8Array {
  const builder = new RecordBatchBuilder();
  for (const { key = null, value, timestamp, headers } of records) builder.append(key, value, timestamp, headers);
  const bytes = builder.seal(stamp);
  if (serverHalf !== undefined) writeServerHalf(bytes, serverHalf);
  return bytes;
}

/**
 * The step that refuses a batch: it must fail before anything is allocated or returned because of
 * the batch.
 */
function whereRefused(bytes: Uint8Array): Record<string, string> {
  let step = "parse";
  let records = 0;
  try {
    const batch = RecordBatch.parse(bytes);
    step = "verify";
    batch.verify();
    step = "records";
    for (const _ of batch) records++;
  } catch {
    return step === "records" ? { "found by": step, "records before": String(records) } : { "found by": step };
  }
  return { "found by": "nothing" };
}
