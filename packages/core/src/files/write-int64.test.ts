import { expect, test, vi } from "vitest";
import { LogStore } from "../store/log-store.js";
import { writeInt64 } from "./write-int64.js";

test.each([0, 1, 255, 2 ** 32, Number.MAX_SAFE_INTEGER, -1, Number.MIN_SAFE_INTEGER])("%d in eight bytes", (value) => {
  const bytes = Buffer.alloc(10, 0xaa).subarray(1);
  writeInt64(bytes.subarray(0, 8), value, 0);
  expect(bytes.readBigInt64LE()).toBe(BigInt(value));
  expect(bytes[8]).toBe(0xaa);
});

// A single call would make Buffer's writers of numbers slower for the whole program.
test("a store never makes Node write a BigInt to a buffer", async () => {
  const writers = (["writeBigInt64LE", "writeBigUInt64LE"] as const).map((name) => vi.spyOn(Buffer.prototype, name));
  const store = await LogStore.open(":memory:", { segmentBytes: 4096 });
  for (let i = 0; i < 10; i++) await store.append(null, new Uint8Array(1000));
  await store.deleteRecords(0, 5);
  await store.close();
  for (const writer of writers) {
    expect(writer).not.toHaveBeenCalled();
    writer.mockRestore();
  }
});
