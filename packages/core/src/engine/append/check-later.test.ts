import { RecordBatch, RecordBatchBuilder } from "@logstore/codec";
import { expect, test } from "vitest";
import { checkLater } from "./check-later.js";

function batch(): RecordBatch {
  const builder = new RecordBatchBuilder({ targetBytes: 4 * 1024 * 1024 });
  builder.append(null, new Uint8Array(2 * 1024 * 1024), 0);
  return RecordBatch.parse(builder.seal());
}

test("partitions take turns, the appends of each are checked in order, and a damaged one blocks no other", async () => {
  const [greedy, other, another] = [{}, {}, {}];
  const order: string[] = [];
  const damaged = batch();
  damaged.bytes[damaged.byteLength - 1]! ^= 1;
  const check = (partition: object, name: string, checked = batch()) =>
    checkLater(partition, [checked]).then(
      () => order.push(name),
      (error) => order.push(`${name}: ${error.code}`),
    );
  const all = [0, 1, 2, 3].map((i) => check(greedy, `greedy ${i}`, i === 1 ? damaged : undefined));
  all.push(check(other, "other 0"), check(another, "another 0"), check(other, "other 1"));
  await Promise.all(all);
  expect(order).toEqual([
    "greedy 0", // in progress when the next appends arrived
    "greedy 1: CORRUPT_BATCH",
    "other 0",
    "another 0",
    "greedy 2",
    "other 1",
    "greedy 3",
  ]);
});
