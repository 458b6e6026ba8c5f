import { RecordBatch, RecordBatchBuilder } from "@logstore/codec";
import { expect, test } from "vitest";
import { recordChunks } from "./record-chunks.js";

test("the records before a malformed one are yielded before its error is thrown", () => {
  const builder = new RecordBatchBuilder();
  for (const value of ["aaaa", "bbbb", "cccc"]) builder.append(null, value, 0);
  const bytes = builder.seal();
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf("cccc");
  bytes[start - 3] = 0x7e; // the record's length, beyond the batch
  const chunks = recordChunks(RecordBatch.parse(bytes).cursor(), 1);
  expect(chunks.next().value?.map(({ offset }) => offset)).toEqual([1]);
  expect(() => chunks.next()).toThrow(/longer than its batch/);
});
