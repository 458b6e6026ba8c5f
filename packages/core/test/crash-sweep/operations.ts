/** The operations of a workload as a table: a new feature of the engine is one more row. */
import assert from "node:assert/strict";
import { faults, powerCutOutcomes } from "../../src/testing/index.js";
import { checkVerified } from "./check-recovered.js";
import { checkSnapshots, SNAPSHOTS, type SnapshotHistory } from "./check-snapshots.js";
import type { Workload } from "./workload.js";

interface Operation {
  /** Relative frequency. */
  readonly weight: number;
  run(workload: Workload): Promise<void>;
}

export const operations: Record<string, Operation> = {
  append: {
    weight: 6,
    async run(work) {
      const partition = work.partition();
      for (const record of work.records(4)) {
        const durability = work.durability();
        work.submit(partition, [record], async () => {
          const ack = await work.store.append(record.key, record.value, { partition, durability });
          return { baseOffset: ack.offset, nextOffset: ack.offset + 1, durability: ack.durability };
        });
      }
    },
  },

  appendMany: {
    weight: 4,
    async run(work) {
      const [partition, records, durability] = [work.partition(), work.records(6), work.durability()];
      const expectedOffset = work.random.oneOf([undefined, work.partitions[partition]!.nextOffset]);
      work.submit(partition, records, async () => {
        const ack = await work.store.appendMany(partition, records, { durability, expectedOffset });
        return { baseOffset: ack.offset, nextOffset: ack.nextOffset, durability: ack.durability };
      });
    },
  },

  appendWhereItIsRefused: {
    weight: 1,
    async run(work) {
      const partition = work.partition();
      const expectedOffset = work.partitions[partition]!.nextOffset + 1;
      const refused = work.store.appendMany(partition, work.records(2), { expectedOffset });
      await assert.rejects(refused, { code: "WRONG_EXPECTED_OFFSET" });
    },
  },

  produce: {
    weight: 4,
    async run(work) {
      const [partition, records, durability] = [work.partition(), work.records(4), work.durability()];
      const bytes = work.seal(partition, records);
      const { baseOffset } = work.partitions[partition]!.submitBatch(bytes.slice(), records);
      work.expect(partition, baseOffset, work.store.log(partition).appendBatches(bytes, { durability }));
    },
  },

  produceAgain: {
    weight: 3,
    async run(work) {
      const [partition, durability] = [work.partition(), work.durability()];
      const remembered = work.partitions[partition]!.batches.slice(-5);
      if (remembered.length === 0) return;
      const { bytes, baseOffset } = work.random.oneOf(remembered);
      work.expect(partition, baseOffset, work.store.log(partition).appendBatches(bytes.slice(), { durability }));
    },
  },

  /** Requests durability `flushed` for batches that were acknowledged as `written`. */
  produceForSure: {
    weight: 2,
    async run(work) {
      const [partition, records] = [work.partition(), work.records(4)];
      const bytes = work.seal(partition, records);
      const { baseOffset } = work.partitions[partition]!.submitBatch(bytes.slice(), records);
      for (const durability of ["written", "flushed"] as const) {
        work.expect(partition, baseOffset, work.store.log(partition).appendBatches(bytes.slice(), { durability }));
        await work.settled();
      }
    },
  },

  flush: {
    weight: 2,
    async run(work) {
      const partition = work.partition();
      const history = work.partitions[partition]!;
      const { nextOffset } = history;
      await work.store.flush(partition);
      history.acknowledged(nextOffset, "flushed");
    },
  },

  deleteRecords: {
    weight: 2,
    async run(work) {
      const partition = work.partition();
      const { startOffset, endOffset } = work.store.partition(partition);
      const beforeOffset = work.random.whole(startOffset, endOffset);
      const history = work.partitions[partition]!;
      history.askedToDelete(beforeOffset);
      await work.store.deleteRecords(partition, beforeOffset);
      history.startsAt(beforeOffset);
    },
  },

  verify: {
    weight: 1,
    run: (work) => checkVerified(work.store),
  },

  /** Appends may be in progress, and continue during the snapshot. */
  snapshot: {
    weight: 1,
    async run(work) {
      const name = `${SNAPSHOTS}/${work.snapshots.length}`;
      const snapshot: SnapshotHistory = { name, partitions: undefined };
      work.snapshots.push(snapshot);
      const making = work.store.snapshot(name);
      if (work.random.chance(0.5)) await operations["append"]!.run(work);
      const { partitions } = await making;
      snapshot.partitions = partitions.map(({ partition, logStartOffset, logEndOffset }) => ({
        start: logStartOffset,
        records: work.partitions[partition]!.moment().records.slice(logStartOffset, logEndOffset),
      }));
      await checkSnapshots(work.disk, work.snapshots);
    },
  },

  jumpClock: {
    weight: 1,
    async run(work) {
      work.disk.time = work.random.whole(0, 2_000_000_000_000);
    },
  },

  reopen: {
    weight: 2,
    run: (work) => work.reopen(),
  },

  kill: {
    weight: 1,
    async run(work) {
      const disk = work.disk.processKill();
      await work.abandoned();
      await work.open(disk, "written");
    },
  },

  cutPower: {
    weight: 1,
    async run(work) {
      const disk = work.disk.powerCut(work.random.oneOf(powerCutOutcomes), work.random.seed());
      await work.abandoned();
      for (const history of work.partitions) history.powerCut();
      await work.open(disk);
    },
  },

  /**
   * A call fails, and the store is reopened on the same machine, where what it reads may not be on
   * the disk.
   */
  failCall: {
    weight: 1,
    async run(work) {
      const { disk, random } = work;
      await work.settled();
      disk.failAt(random.whole(1, 8), random.oneOf(faults), { forGood: random.chance(0.3) });
      for (let i = random.whole(1, 3); i > 0; i--) {
        await operations[random.oneOf(["append", "appendMany", "produce"])]!.run(work);
      }
      await work.abandoned();
      await work.store.close().catch(() => {});
      disk.mend();
      await work.open(disk, "written");
    },
  },
};
