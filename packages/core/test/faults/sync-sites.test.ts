/**
 * Every place where something is synced fails once, as a disk does that tells of an error once and then forgets: the partition takes
 * nothing more, everybody who waits hears of it, nothing is tried again, and the other partition does not notice.
 */
import { expect, test } from "vitest";
import { LogStore, type LogStoreError } from "../../src/index.js";
import { report } from "../cases.js";
import { type Call, HookedStorage } from "../hooked-storage.js";
import { codeOf, range, values } from "../records.js";

type Durability = "flushed" | "written";

const ROUNDS = 7;
const isOfPartition0 = ({ path }: Call) => path === "store/0" || path.startsWith("store/0/");
const isSync = (call: Call) => (call.kind === "sync" || call.kind === "syncDirectory") && isOfPartition0(call);

/** Rounds of appends to two partitions at once, in small segments, and a close. The k-th sync of partition 0 fails. */
async function run(durability: Durability, k: number) {
  const storage = new HookedStorage();
  const store = await LogStore.open("store", { storage, partitions: 2, segmentBytes: 300, durability });
  let syncs = 0;
  let failedAfter: number | undefined;
  storage.before = (call) => {
    if (!isSync(call) || ++syncs !== k) return;
    failedAfter = storage.calls.length;
    throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
  };
  const acked: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sent = range(3, `${round}.`);
    const mine = await Promise.allSettled([
      ...sent.map((value) => store.append(null, value, { partition: 0 })),
      ...sent.map((value) => store.append(null, value, { partition: 1 })),
    ]);
    const [first, second] = [mine.slice(0, 3), mine.slice(3)];
    expect(second.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    const reasons = first.map((result) => (result.status === "rejected" ? result.reason : undefined));
    const expected = failedAfter === undefined ? undefined : "STORAGE_FAILED";
    expect(reasons.map((reason) => reason?.code)).toEqual([expected, expected, expected]);
    if (expected === undefined) acked.push(...sent);
    expect(await values(store, 0)).toEqual(acked);
  }
  const failedBeforeClosing = failedAfter !== undefined;
  const closed = await store.close().then(
    () => undefined,
    (error: LogStoreError) => error,
  );
  expect(closed?.code).toBe(failedAfter !== undefined && !failedBeforeClosing ? "STORAGE_FAILED" : undefined);
  expect(await codeOf(store.append(null, "later"))).toMatch(/CLOSED|STORAGE_FAILED/);
  const later = failedAfter === undefined ? [] : storage.calls.slice(failedAfter).filter(isOfPartition0);
  expect(later).toEqual([]);
  const again = await LogStore.open("store", { storage: storage.inner });
  expect((await values(again, 0)).slice(0, acked.length)).toEqual(acked);
  expect(await values(again, 1)).toHaveLength(3 * ROUNDS);
  await again.close();
  return { syncs, acked: acked.length };
}

test.each(["flushed", "written"] as const)("%s: every sync fails once", async (durability) => {
  const { syncs, acked } = await run(durability, 0);
  expect(acked).toBe(3 * ROUNDS);
  expect(syncs).toBeGreaterThan(10);
  for (let k = 1; k <= syncs; k++) await run(durability, k);
  report(`${syncs} places to sync, ${durability}: each failed once`);
});
