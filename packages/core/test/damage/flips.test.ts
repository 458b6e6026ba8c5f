/**
 * Every bit of a segment of 64 KiB is flipped, one at a time: a store returns the exact records
 * before it, or reports the position, but never wrong data.
 */
import { expect, test } from "vitest";
import { eachCase, report } from "../cases.js";
import { firstSeed, Random } from "../random.js";
import { checkDamaged } from "./check-damaged.js";
import { type SampleLog, type State, sampleLog } from "./sample-log.js";

const LONG = { timeout: 24 * 3_600_000 };

// An odd step reaches every bit of a byte. Opening costs the most: `read-flips.test.ts` flips bits
// under an open store instead.
test.each([
  ["crashed", 61],
  ["closed", 61],
  ["closed half-way", 121],
] as const)("a store that was %s", LONG, async (state, every) => {
  const sample = await sampleLog(new Random(firstSeed));
  const outcomes = { named: 0, cut: 0, whole: 0 };
  const log = Uint8Array.from(sample.logs[state]);
  const total = 8 * log.length;
  const done = await eachCase({ total, every, file: "test/damage/flips.test.ts" }, async (bit) => {
    const byte = bit >>> 3;
    log[byte]! ^= 1 << (bit & 7);
    const firstBad = sample.starts.findLastIndex((start) => start <= byte);
    const damage = { state, log, firstBad, proven: provenWithout(sample, state, firstBad) };
    outcomes[await checkDamaged(sample, damage, bit % 61 === 0 ? new Random(bit) : undefined)]++;
    log[byte]! ^= 1 << (bit & 7);
  });
  report(`${done} of ${total} bits, ${state}: ${JSON.stringify(outcomes)}, CORE_SEED=${firstSeed}`);
  expect(outcomes.whole).toBe(0);
});

/** What was durable according to the checkpoint and the headers of the other batches. */
function provenWithout({ batches, recoveryPoint }: SampleLog, state: State, damaged: number): number {
  return Math.max(recoveryPoint[state], ...batches.map(({ flushedUpTo }, i) => (i === damaged ? 0 : flushedUpTo)));
}
