/** Random configurations and operations against the simplest model of a log: an array a partition. */
import { expect, test } from "vitest";
import { firstSeed, Random } from "../../test/random.js";
import { collect, text } from "../../test/records.js";
import { LogStore, type LogStoreOptions, MemoryStorage } from "../index.js";

const RUNS = Number(process.env["CORE_RUNS"] ?? 300);

test(`${RUNS} random runs, CORE_SEED=${firstSeed}`, async () => {
  for (let run = 0; run < RUNS; run++) {
    const seed = firstSeed + run;
    try {
      await oneRun(new Random(seed));
    } catch (error) {
      throw new Error(`CORE_SEED=${seed} CORE_RUNS=1: ${(error as Error).message}`, { cause: error });
    }
  }
});

interface ModelRecord {
  readonly key: string | null;
  readonly value: string;
}

async function oneRun(random: Random): Promise<void> {
  const partitions = random.whole(1, 3);
  const storage = new MemoryStorage();
  const options: LogStoreOptions = {
    storage,
    partitions,
    segmentBytes: random.oneOf([75, 200, 1000, 4096, 1_000_000]),
    durability: random.oneOf(["written", "flushed"]),
    compression: random.oneOf(["none", "none", "gzip", "zstd"]),
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
        expect(offset).toBe(model[partition]!.length);
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
      const read = await collect(store.read(partition, { from }));
      expect(read.map(({ offset }) => offset)).toEqual(read.map((_, i) => from + i));
      expect(read.map(({ key, value }) => ({ key: text(key), value: text(value) }))).toEqual(expected.slice(from));
    },
    async reopen() {
      await store.close();
      store = await LogStore.open("store", options);
      expect(store.recovery).toEqual([]);
    },
    async crash() {
      store = await LogStore.open("store", options); // the other one is never heard of again
      expect(store.recovery).toEqual([]);
    },
  };
  for (let step = random.whole(1, 25); step > 0; step--) {
    await steps[random.oneOf(["append", "append", "appendMany", "read", "read", "reopen", "crash"])]!();
  }
  await steps["reopen"]!();
  for (let i = 0; i < partitions; i++) await steps["read"]!();
  await store.close();
}
