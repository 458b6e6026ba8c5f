/**
 * Which cases a long, exhaustive test tries. All are numbered; CI tries every n-th, from a seeded
 * one on, and a long run all of them, in shards if need be:
 *
 * - CORE_EVERY=1 tries every case, 10 each tenth; where there are few, it tries no fewer than CI
 * - CORE_SHARD=3/8 tries the third eighth of those
 * - CORE_CASE=4711 tries that one alone; CORE_SEED is to be the one that the failure named
 */
import { firstSeed } from "./random.js";

const FEW = 10_000;

export interface CaseOptions {
  /** How many cases there are. */
  readonly total: number;
  /** CI tries one in so many. Default: all are tried, in every shard too. */
  readonly every?: number;
  /** Of the test, for the line that replays a failure. */
  readonly file: string;
  /** Of these cases, for the same line. Default: the test's own. */
  readonly seed?: number;
}

/**
 * Runs the chosen cases one after another, and returns how many that were. A failure names the line
 * that replays it.
 */
export async function eachCase(
  { total, every, file, seed = firstSeed }: CaseOptions,
  run: (index: number) => Promise<void>,
): Promise<number> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // most cases end in an error, and its stack costs as much as all the rest
  let done = 0;
  try {
    for (const index of chosen(total, every, seed)) {
      await run(index).catch((error: Error) => {
        throw new Error(`CORE_SEED=${seed} CORE_CASE=${index} vitest run ${file}: ${error.message}`, {
          cause: error,
        });
      });
      done++;
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return done;
}

function* chosen(total: number, every: number | undefined, seed: number): Generator<number> {
  const only = process.env["CORE_CASE"];
  if (only !== undefined) {
    yield Number(only);
    return;
  }
  if (every === undefined) {
    for (let index = 0; index < total; index++) yield index;
    return;
  }
  const asked = Number(process.env["CORE_EVERY"] ?? every);
  const step = total <= FEW ? Math.min(every, asked) : asked;
  const [shard, shards] = shardOf(process.env["CORE_SHARD"] ?? "1/1");
  const first = (seed % step) + (shard - 1) * step;
  for (let index = first; index < total; index += step * shards) yield index;
}

/** "3/8": the third of eight. */
export function shardOf(text: string): readonly [shard: number, shards: number] {
  const [shard, shards] = text.split("/").map(Number);
  if (shard === undefined || shards === undefined || !(shard >= 1 && shard <= shards)) {
    throw new Error(`CORE_SHARD is like 3/8, not ${text}`);
  }
  return [shard, shards];
}

/** Says what a test has done: a count that nobody sees is a count that nobody misses. */
export function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
