/**
 * Selects the cases that a long, exhaustive test runs. All cases are numbered. CI runs every n-th,
 * starting from one chosen by the seed; a long run covers all of them, in shards if needed:
 *
 * - CORE_EVERY=1 runs every case, 10 every tenth, but never fewer than CI does
 * - CORE_SHARD=3/8 runs the third eighth of those
 * - CORE_CASE=4711 runs only that one; set CORE_SEED to the seed that the failure named
 */
import { firstSeed } from "./random.js";

const FEW = 10_000;

export interface CaseOptions {
  /** Number of cases. */
  readonly total: number;
  /** CI runs every n-th case. Default: all, in every shard. */
  readonly every?: number;
  /** File of the test, for the command that replays a failure. */
  readonly file: string;
  /** Seed of these cases, for the same command. Default: the seed of the run. */
  readonly seed?: number;
}

/**
 * Runs the selected cases in order, and returns their number. A failure message contains the
 * command that replays it.
 */
export async function eachCase(
  { total, every, file, seed = firstSeed }: CaseOptions,
  run: (index: number) => Promise<void>,
): Promise<number> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // most cases end in an error, whose stack trace would cost as much as the rest
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

/** Prints what a test has covered, so that a drop in coverage is noticed. */
export function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
