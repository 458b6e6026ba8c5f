/**
 * A segment of 64 KiB, truncated at every byte; and one with only zeros from there on, as a crash
 * leaves data written over preallocated zeros. A store returns the exact records before that, or
 * reports the position.
 */
import { expect, test } from "vitest";
import { eachCase, report } from "../cases.js";
import { firstSeed, Random } from "../random.js";
import { checkDamaged, type Outcome } from "./check-damaged.js";
import { type SampleLog, type State, sampleLog } from "./sample-log.js";

const FILE = "test/damage/truncations.test.ts";
const LONG = { timeout: 24 * 3_600_000 };

interface Kind {
  readonly what: string;
  readonly every: number;
  /** The log after the damage. */
  readonly log: (log: Uint8Array, byte: number) => Uint8Array;
  /** How many bytes of each batch are needed for it to be intact. */
  readonly ends: (sample: SampleLog) => readonly number[];
}

async function damageEverywhere(state: State, { what, every, log, ends }: Kind): Promise<Record<Outcome, number>> {
  const sample = await sampleLog(new Random(firstSeed));
  const outcomes = { named: 0, cut: 0, whole: 0 };
  const needed = ends(sample);
  const before = sample.logs[state];
  const done = await eachCase({ total: before.length, every, file: FILE }, async (byte) => {
    const firstBad = needed.findIndex((end) => end > byte);
    const damage = {
      state,
      log: log(before, byte),
      firstBad: firstBad < 0 ? needed.length : firstBad,
      // The bytes before the cut do not show that there was more: only the checkpoint does.
      proven: sample.recoveryPoint[state],
    };
    outcomes[await checkDamaged(sample, damage, byte % 61 === 0 ? new Random(byte) : undefined)]++;
  });
  report(`${what} ${done} of ${before.length} bytes, ${state}: ${JSON.stringify(outcomes)}, CORE_SEED=${firstSeed}`);
  return outcomes;
}

test.each([
  ["crashed", 27],
  ["closed", 3],
  ["closed half-way", 17],
] as const)("a store that was %s, and its log truncated", LONG, async (state, every) => {
  const outcomes = await damageEverywhere(state, {
    what: "truncated at",
    every,
    log: (log, byte) => log.subarray(0, byte),
    ends: ({ starts }) => starts.slice(1),
  });
  if (state === "closed") expect(outcomes).toMatchObject({ cut: 0, whole: 0 });
});

test.each([
  ["crashed", 21],
  ["closed", 31],
  ["closed half-way", 31],
] as const)("a store that was %s, and zeros in its log", LONG, async (state, every) => {
  const outcomes = await damageEverywhere(state, {
    what: "zeros from",
    every,
    log: (log, byte) => Uint8Array.from(log).fill(0, byte),
    // A batch may itself end in zeros.
    ends: ({ starts, batches }) => batches.map(({ bytes }, i) => starts[i]! + bytes.findLastIndex((b) => b !== 0) + 1),
  });
  if (state === "closed") expect(outcomes.cut).toBe(0);
});
