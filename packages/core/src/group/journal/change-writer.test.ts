import { readServerHalf, UnavailableError, writeServerHalf } from "@logstore/codec";
import { expect, onTestFinished, test } from "vitest";
import type { PartitionLog } from "../../engine/partition-log.js";
import { ChangeWriter } from "./change-writer.js";

test("a batch whose outcome is unknown is resent as it was sealed, and the log keeps its bytes", async () => {
  const batches: Uint8Array[] = [];
  const log = {
    async appendBatches(bytes: Uint8Array) {
      batches.push(bytes);
      if (batches.length === 3) return;
      writeServerHalf(bytes, { baseOffset: 10 * batches.length, appendTime: 5, flushedUpTo: 0 });
      throw new UnavailableError("the outcome is not known yet", { retryAfterMs: 1 });
    },
  } as unknown as PartitionLog;
  const writer = new ChangeWriter({ now: () => 1, randomHex: () => "7" }, async () => log);
  onTestFinished(() => writer.close());
  writer.write("a change");
  await writer.settled();

  expect(batches.map((bytes) => readServerHalf(bytes, 0))).toMatchObject([
    { baseOffset: 10, appendTime: 5 },
    { baseOffset: 20, appendTime: 5 },
    { baseOffset: 0, appendTime: 0 },
  ]);
  // docs/format/record-batch.md: the producer half begins at byte 36 and is never changed.
  for (const bytes of batches) expect(Buffer.compare(bytes.subarray(36), batches[0]!.subarray(36))).toBe(0);
});

test("a log that is unavailable when the first change is written is opened again", async () => {
  let calls = 0;
  const log = { appendBatches: async () => {} } as unknown as PartitionLog;
  const writer = new ChangeWriter({ now: () => 1, randomHex: () => "7" }, async () => {
    if (++calls < 3) throw new UnavailableError("not known yet", { retryAfterMs: 1 });
    return log;
  });
  onTestFinished(() => writer.close());
  writer.write("a change");
  await writer.settled();
  expect(calls).toBe(3);
});
