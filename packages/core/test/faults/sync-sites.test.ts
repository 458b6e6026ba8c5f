/**
 * Each sync fails once, as on a disk that reports an error once and then forgets it: the partition
 * accepts no more appends, all waiting callers get the error, nothing is retried, and the other
 * partition is unaffected.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { LogStore, type LogStoreError } from "../../src/index.js";
import { report } from "../cases.js";
import { type Call, HookedStorage } from "../hooked-storage.js";
import { codeOf, range, values } from "../records.js";

type Durability = "flushed" | "written";

const ROUNDS = 7;
const isOfPartition0 = ({ path }: Call) => path === "store/0" || path.startsWith("store/0/");
const isSync = (call: Call) => (call.kind === "sync" || call.kind === "syncDirectory") && isOfPartition0(call);

/**
 * Appends to two partitions concurrently, in small segments, then closes. The k-th sync of
 * partition 0 fails.
 *
 * Callers that wait for that sync get its error at once; the error of a background sync is reported
 * by the next append. Appends of durability `written` may be acknowledged in between.
 */
async function run(durability: Durability, k: number) {
  const storage = new HookedStorage();
  const store = await LogStore.open("store", { storage, partitions: 2, segmentBytes: 300, durability });
  let syncs = 0;
  let failed: { readonly after: number; readonly isBehind: boolean } | undefined;
  storage.before = (call) => {
    if (!isSync(call) || ++syncs !== k) return;
    failed = { after: storage.calls.length, isBehind: durability === "written" && isBehindTheWriter(storage, call) };
    throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
  };
  const acked: string[] = [];
  let isKnown = false; // whether an appender has seen the error
  for (let round = 0; round < ROUNDS; round++) {
    const sent = range(3, `${round}.`);
    const failedBefore = failed !== undefined;
    const mine = await Promise.allSettled([
      ...sent.map((value) => store.append(null, value, { partition: 0 })),
      ...sent.map((value) => store.append(null, value, { partition: 1 })),
    ]);
    const [first, second] = [mine.slice(0, 3), mine.slice(3)];
    expect(second.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    const codes = first.map((result) => (result.status === "rejected" ? result.reason.code : undefined));
    // After a sync in the background has failed, any append of the round may be the first to see
    // the error: it depends on whether the group commit has let the event loop turn.
    const seenAt = codes.indexOf("STORAGE_FAILED");
    const unseen = seenAt < 0 ? codes.length : seenAt;
    const accepted = failed === undefined ? codes.length : failed.isBehind && !failedBefore ? unseen : 0;
    expect(codes).toEqual(codes.map((_, i) => (i < accepted ? undefined : "STORAGE_FAILED")));
    isKnown = accepted < codes.length;
    acked.push(...sent.slice(0, accepted));
    expect(await values(store, 0)).toEqual(acked);
    await nextTurn(); // a background sync that this round has started fails before the next round
  }
  const closed = await store.close().then(
    () => undefined,
    (error: LogStoreError) => error,
  );
  expect(closed?.code).toBe(failed !== undefined && !isKnown ? "STORAGE_FAILED" : undefined);
  expect(await codeOf(store.append(null, "later"))).toMatch(/CLOSED|STORAGE_FAILED/);
  // After a failed background sync, at most the write in progress may follow.
  const later = failed === undefined ? [] : storage.calls.slice(failed.after).filter(isOfPartition0);
  expect(later.filter(({ kind, path }) => kind !== "write" || !path.endsWith(".log"))).toEqual([]);
  expect(later.length).toBeLessThanOrEqual(1);
  const again = await LogStore.open("store", { storage: storage.inner });
  expect((await values(again, 0)).slice(0, acked.length)).toEqual(acked);
  expect(await values(again, 1)).toHaveLength(3 * ROUNDS);
  await again.close();
  return { syncs, acked: acked.length, isBehind: failed?.isBehind };
}

/**
 * Whether a sync is made in the background for a finished segment: of its log, or of the checkpoint
 * that covers it.
 */
function isBehindTheWriter({ calls }: HookedStorage, { path }: Call): boolean {
  const mine = calls.filter(isOfPartition0);
  const logs = mine.filter((call) => call.kind === "createFile" && call.path.endsWith(".log"));
  if (logs.length < 2) return false; // the first segment, and its checkpoint
  const last = mine.at(-1)!;
  if (last.kind === "createFile" && last.path.endsWith(".log") && path === "store/0") return false; // the name of a new segment
  return path !== logs.at(-1)!.path;
}

test.each(["flushed", "written"] as const)("%s: every sync fails once", async (durability) => {
  const { syncs, acked } = await run(durability, 0);
  expect(acked).toBe(3 * ROUNDS);
  expect(syncs).toBeGreaterThan(10);
  let behind = 0;
  for (let k = 1; k <= syncs; k++) if ((await run(durability, k)).isBehind) behind++;
  expect(behind > 0).toBe(durability === "written");
  report(`${syncs} places to sync, ${durability}: each failed once, ${behind} of them behind the writer`);
});
