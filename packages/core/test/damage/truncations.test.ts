/** A segment of 64 KiB truncated at every byte: the exact records before that, or the place by name. */
import { expect, test } from "vitest";
import { eachCase, report } from "../cases.js";
import { firstSeed, Random } from "../random.js";
import { checkDamaged } from "./check-damaged.js";
import { LOG_BYTES, sampleLog } from "./sample-log.js";

const LONG = { timeout: 24 * 3_600_000 };

test.each([
  ["crashed", 1],
  ["closed", 5],
  ["closed half-way", 9],
] as const)("a store that was %s", LONG, async (state, every) => {
  const sample = await sampleLog(new Random(firstSeed));
  const outcomes = { named: 0, cut: 0, whole: 0 };
  const done = await eachCase({ total: LOG_BYTES, every, file: "test/damage/truncations.test.ts" }, async (size) => {
    const log = sample.log.subarray(0, size);
    const firstBad = sample.starts.findLastIndex((start) => start <= size);
    // What lies before the cut cannot tell that there was more: only the checkpoint can.
    const damage = { state, log, firstBad, proven: sample.recoveryPoint[state] };
    outcomes[await checkDamaged(sample, damage, size % 61 === 0 ? new Random(size) : undefined)]++;
  });
  report(`truncated at ${done} of ${LOG_BYTES} bytes, ${state}: ${JSON.stringify(outcomes)}, CORE_SEED=${firstSeed}`);
  if (state === "closed") expect(outcomes).toEqual({ named: done, cut: 0, whole: 0 });
});
