/**
 * Random configurations and operations, compared with the simplest model of a log: an array for
 * each partition. CORE_RUNS sets the number of runs, and CORE_SHARD=3/8 selects a part of them.
 */
import { expect, test } from "vitest";
import { report, shardOf } from "../../test/cases.js";
import { firstSeed, Random } from "../../test/random.js";
import { collect, text } from "../../test/records.js";
import { LogStore, type LogStoreOptions, MemoryStorage } from "../index.js";

const RUNS = Number(process.env["CORE_RUNS"] ?? 3_000);
const [SHARD, SHARDS] = shardOf(process.env["CORE_SHARD"] ?? "1/1");

test(`${RUNS} random runs, CORE_SEED=${firstSeed}`, { timeout: 24 * 3_600_000 }, async () => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // a missing file is an error, whose stack trace costs more than the check itself
  let steps = 0;
  let done = 0;
  try {
    for (let run = SHARD - 1; run < RUNS; run += SHARDS, done++) {
      const seed = firstSeed + run;
      steps += await oneRun(new Random(seed)).catch((error: Error) => {
        throw new Error(`CORE_SEED=${seed} CORE_RUNS=1: ${error.message}`, { cause: error });
      });
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  report(`${done} random runs of ${steps} steps, CORE_SEED=${firstSeed}`);
});

interface ModelRecord {
  readonly key: string | null;
  readonly value: string;
}

/** Returns the number of steps. */
async function oneRun(random: Random): Promise<number> {
  const partitions = random.whole(1, 3);
  const storage = new MemoryStorage();
  const options: LogStoreOptions = {
    storage,
    partitions,
    segmentBytes: random.oneOf([75, 200, 1000, 4096, 1_000_000]),
    durability: random.oneOf(["written", "flushed"]),
    compression: random.oneOf(["none", "none", "none", "none", "gzip", "zstd"]),
    maxBatchBytes: random.oneOf([2000, 1_000_000]),
  };
  const model: ModelRecord[][] = Array.from({ length: partitions }, () => []);
  let store = await LogStore.open("store", options);
  const record = (): ModelRecord => ({
    key: random.chance(0.3) ? null : `k${random.whole(0, 9)}`,
    value: "v".repeat(random.chance(0.1) ? random.whole(500, 1500) : random.whole(0, 30)) + random.whole(0, 999),
  });
  const steps: Record<string, () => Promise<void>> = {
    async append() {
      const all = Array.from({ length: random.whole(1, 8) }, record);
      const acks = await Promise.all(all.map(({ key, value }) => store.append(key, value, { timestamp: 0 })));
      for (const [i, { partition, offset }] of acks.entries()) {
        if (offset !== model[partition]!.length) expect(offset).toBe(model[partition]!.length);
        model[partition]!.push(all[i]!);
      }
    },
    async appendMany() {
      const partition = random.whole(0, partitions - 1);
      const all = Array.from({ length: random.whole(1, 40) }, record);
      const at = model[partition]!.length;
      const expectedOffset = random.oneOf([undefined, at, at + 1]);
      const input = all.map((each) => ({ ...each, timestamp: 0 }));
      const append = store.appendMany(partition, input, { expectedOffset });
      if (expectedOffset === at + 1) {
        await expect(append).rejects.toMatchObject({ code: "WRONG_EXPECTED_OFFSET", actual: at });
        return;
      }
      expect(await append).toMatchObject({ offset: at, nextOffset: at + all.length });
      model[partition]!.push(...all);
    },
    async read() {
      const partition = random.whole(0, partitions - 1);
      const expected = model[partition]!;
      expect(store.partition(partition).endOffset).toBe(expected.length);
      const from = random.whole(0, expected.length);
      const read = (await collect(store.read(partition, { from }))).map(({ offset, key, value }) => {
        return { offset, key: text(key), value: text(value) };
      });
      const wanted = expected.slice(from).map(({ key, value }, i) => ({ offset: from + i, key, value }));
      // A matcher costs more than the operations that it checks.
      if (JSON.stringify(read) !== JSON.stringify(wanted)) expect(read).toEqual(wanted);
    },
    async reopen() {
      await store.close();
      store = await LogStore.open("store", options);
      expect(store.recovery).toEqual([]);
    },
    async crash() {
      store = await LogStore.open("store", options); // the previous store is abandoned, as by a crash
      expect(store.recovery).toEqual([]);
    },
  };
  const count = random.whole(1, 25);
  for (let step = 0; step < count; step++) {
    await steps[random.oneOf(["append", "append", "appendMany", "read", "read", "reopen", "crash"])]!();
  }
  await steps["reopen"]!();
  for (let i = 0; i < partitions; i++) await steps["read"]!();
  await store.close();
  return count;
}
