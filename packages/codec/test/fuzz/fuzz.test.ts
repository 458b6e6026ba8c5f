/**
 * Damaged batches by the million, through every public way to decode them: nothing but errors of
 * ours, no memory beyond the caps, and what can be read is read the same again.
 *
 * CODEC_CASES says how many, CODEC_SHARD=3/8 which part of them, and CODEC_SEED with CODEC_CASE
 * tries one again.
 */
import { expect, test } from "vitest";
import { type BatchLimits, defaultBatchLimits } from "../../src/index.js";
import { corpus, ownCompression } from "./corpus.js";
import { check, decodeEverything, type Outcome } from "./decode-everything.js";
import { mutate } from "./mutate.js";
import { Random } from "./random.js";

const CASES = Number(process.env["CODEC_CASES"] ?? 1_000_000);
const SEED = Number(process.env["CODEC_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const ONLY = process.env["CODEC_CASE"];
const [SHARD = 1, SHARDS = 1] = (process.env["CODEC_SHARD"] ?? "1/1").split("/").map(Number);

const LOW: BatchLimits = { maxBatchBytes: 2048, maxRecordsBytes: 2048 };
/**
 * Each case unpacks a batch some ten times, in steps of 16 KiB at the least. A length that is
 * believed asks for gigabytes.
 */
const UNPACKED = 16;
const STEP_BYTES = 64 * 1024;

test(`${CASES} damaged batches, CODEC_SEED=${SEED}`, { timeout: 24 * 3_600_000 }, async () => {
  const batches = corpus();
  const outcomes: Record<Outcome, number> = { refused: 0, header: 0, records: 0, accepted: 0 };
  let done = 0;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // most cases end in an error, and its stack costs as much as all the rest
  try {
    for (let index = ONLY === undefined ? SHARD - 1 : Number(ONLY); index < CASES; index += SHARDS) {
      outcomes[oneCase(batches, index)]++;
      // Node lets go of what a failed decompression held when the event loop turns.
      if (++done % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (ONLY !== undefined) break;
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  process.stdout.write(`${done} damaged batches: ${JSON.stringify(outcomes)}, CODEC_SEED=${SEED}\n`);
  if (ONLY === undefined) expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(done / 100);
});

function oneCase(batches: readonly Uint8Array[], index: number): Outcome {
  const random = new Random(SEED + index);
  const limits = random.below(2) === 0 ? LOW : defaultBatchLimits;
  const bytes = mutate(random, batches);
  ownCompression.mostAllowed = 0;
  try {
    const measured = limits === LOW && random.below(50) === 0;
    const before = measured ? process.memoryUsage().arrayBuffers : 0;
    const outcome = decodeEverything(bytes, random.below(bytes.length + 100), limits, random.below(8) === 0);
    const allocated = measured ? process.memoryUsage().arrayBuffers - before : 0;
    check(allocated <= UNPACKED * (bytes.length + STEP_BYTES), `${allocated} bytes of buffers were made`);
    check(ownCompression.mostAllowed <= limits.maxRecordsBytes, "more is to be unpacked than is allowed");
    return outcome;
  } catch (error) {
    throw new Error(`CODEC_SEED=${SEED} CODEC_CASE=${index}: ${error}, ${Buffer.from(bytes).toString("hex")}`, {
      cause: error,
    });
  }
}
