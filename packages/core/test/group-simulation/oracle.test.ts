import { expect, test } from "vitest";
import { Oracle } from "./oracle.js";

/**
 * Eleven records that were processed and committed at epoch 6, and a reset to the start at epoch 8
 * that no member has heard of.
 */
function resetUnheard(): Oracle {
  const oracle = new Oracle();
  oracle.addPartition("t/0");
  oracle.of("t/0").end = 11;
  for (let offset = 0; offset < 11; offset++) oracle.processed("t/0", offset);
  oracle.assigned("m", { type: "assignment", memberEpoch: 6, partitions: [partition], revoking: [] }, () => true);
  oracle.resets("t/0", 0, 8);
  return oracle;
}

const partition = { topic: "t", partition: 0 };
const commit = (oracle: Oracle, memberEpoch: number) => {
  const offsets = { ...partition, offset: 11 };
  return () => oracle.acknowledged("m", memberEpoch, offsets, oracle.momentOf("m", offsets));
};

test("a reset that a crash undid has no effect: commits from before it count", () => {
  const oracle = resetUnheard();
  oracle.recovered(7);
  commit(oracle, 6)();
  expect(oracle.of("t/0").acknowledged).toBe(11);
});

test("a reset that is on the disk applies, even if no member heard of it", () => {
  const oracle = resetUnheard();
  oracle.recovered(8);
  expect(commit(oracle, 6)).toThrow("from before its reset");
});

test("without a crash, a commit that precedes a reset in progress is wrong", () => {
  expect(commit(resetUnheard(), 6)).toThrow("nobody processed 0");
});
