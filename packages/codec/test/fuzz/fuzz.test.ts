/**
 * Millions of damaged batches through every public way to decode them: the only errors are
 * LogStoreErrors, memory stays within limits, and what can be read is read the same again.
 *
 * CODEC_CASES sets the number of cases, CODEC_SHARD=3/8 selects a part of them, and CODEC_SEED with
 * CODEC_CASE replays one.
 */
import { expect, test } from "vitest";
import { type BatchLimits, defaultBatchLimits } from "../../src/index.js";
import { corpus, ownCompression } from "./corpus.js";
import { check, decodeEverything, type Outcome } from "./decode-everything.js";
import { mutate } from "./mutate.js";
import { Random } from "./random.js";

const CASES = Number(process.env["CODEC_CASES"] ?? 300_000);
const SEED = Number(process.env["CODEC_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const ONLY = process.env["CODEC_CASE"];
const [SHARD = 1, SHARDS = 1] = (process.env["CODEC_SHARD"] ?? "1/1").split("/").map(Number);

const LOW: BatchLimits = { maxBatchBytes: 2048, maxRecordsBytes: 2048 };
/**
 * Each case decompresses a batch some ten times, in steps of at least 16 KiB. A length that is
 * trusted would allocate gigabytes.
 */
const UNPACKED = 16;
const STEP_BYTES = 64 * 1024;

test(`${CASES} damaged batches, CODEC_SEED=${SEED}`, { timeout: 24 * 3_600_000 }, async () => {
  const batches = corpus();
  const outcomes: Record<Outcome, number> = { refused: 0, header: 0, records: 0, accepted: 0 };
  let done = 0;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // most cases end in an error, whose stack trace would cost as much as the rest
  try {
    for (let index = ONLY === undefined ? SHARD - 1 : Number(ONLY); index < CASES; index += SHARDS) {
      outcomes[oneCase(batches, index)]++;
      // Node frees the memory of a failed decompression in the next turn of the event loop.
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
