import { RecordBatchBuilder } from "@logstore/codec";
import { expect, onTestFinished, test, vi } from "vitest";
import { MemoryEngine } from "./memory-engine.js";

test("records that grow old are deleted although nothing is appended any more", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const engine = new MemoryEngine();
  onTestFinished(() => engine.close());
  const topic = await engine.catalogue.create("t", 1, { retentionMs: 90_000 });
  for (const value of ["a", "b", "c"]) {
    const builder = new RecordBatchBuilder();
    builder.append(null, value, 0);
    await topic.log(0).appendBatches(builder.seal());
  }
  vi.advanceTimersByTime(60_000);
  expect(topic.log(0).offsets.logStart).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(topic.log(0).offsets.logStart).toBe(2); // the newest batch stays
});
