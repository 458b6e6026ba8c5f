import type { GroupDescription, TopicDescription } from "@logstore/protocol";
import { expect, test, vi } from "vitest";
import { FakeLog } from "../../test/fake-log.js";
import { takeSnapshot } from "./group-snapshot.js";

const running = new AbortController().signal;

/**
 * Groups "a", "b", …, with the given numbers of partitions; partition i lags by i + 1 records, and
 * as many ms.
 */
function logOf(partitionCounts: readonly number[], parkedTopics: readonly string[] = []): FakeLog {
  const log = new FakeLog();
  const names = partitionCounts.map((_, i) => String.fromCharCode("a".charCodeAt(0) + i));
  log.listGroups = async () => names.map((group) => ({ group, state: "empty", memberCount: 0 }));
  log.describeGroup = async (group) => {
    const partitions = Array.from({ length: partitionCounts[names.indexOf(group)]! }, (_, partition) => ({
      topic: "t",
      partition,
      lag: partition + 1,
      lagMs: partition + 1,
    }));
    return { group, state: "empty", groupEpoch: 3, members: [], partitions } as unknown as GroupDescription;
  };
  log.listTopics = async () => ["t", ...parkedTopics].map((topic) => ({ topic, topicId: topic, partitionCount: 1 }));
  log.describeTopic = async () =>
    ({ partitions: [{ logStartOffset: 2, logEndOffset: 5 }] }) as unknown as TopicDescription;
  return log;
}

const limits = { maxGroups: 10, maxPartitions: 5, maxParkedTopics: 2 };

test("a group whose partitions do not fit has sums, and a smaller one after it still fits", async () => {
  const { groups } = await takeSnapshot(logOf([3, 4, 2]), running, limits);
  expect(groups.map(({ group, lags }) => [group, lags.length])).toEqual([
    ["a", 3],
    ["b", 1],
    ["c", 2],
  ]);
  expect(groups[1]!.lags).toEqual([{ topic: undefined, partition: undefined, lagRecords: 10, lagMs: 4 }]);
});

test("groups beyond the limit are only counted", async () => {
  const log = logOf([1, 1, 1]);
  const { groups, countByState } = await takeSnapshot(log, running, { ...limits, maxGroups: 2 });
  expect(groups.map(({ group }) => group)).toEqual(["a", "b"]);
  expect(countByState).toEqual({ empty: 3, rebalancing: 0, stable: 0 });
});

test("parked topics beyond the limit are added up", async () => {
  const { parked } = await takeSnapshot(logOf([], ["a.parked", "b.parked", "c.parked", "d.parked"]), running, limits);
  expect(parked).toEqual([
    { topic: "a.parked", records: 3 },
    { topic: "b.parked", records: 3 },
    { topic: undefined, records: 6 },
  ]);
});

test("a group that was deleted in the meantime is left out", async () => {
  const log = logOf([1, 1]);
  const { describeGroup } = log;
  log.describeGroup = (group) => (group === "a" ? Promise.reject(new Error("gone")) : describeGroup(group));
  expect((await takeSnapshot(log, running, limits)).groups.map(({ group }) => group)).toEqual(["b"]);
});

test("ends when the server stops in the meantime", async () => {
  const stopping = new AbortController();
  const log = logOf([1, 1]);
  const { describeGroup } = log;
  log.describeGroup = vi.fn((group: string) => {
    stopping.abort();
    return describeGroup(group);
  });
  await expect(takeSnapshot(log, stopping.signal, limits)).rejects.toThrow();
  expect(log.describeGroup).toHaveBeenCalledTimes(1);
});
