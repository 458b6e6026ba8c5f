/**
 * A topic or partition that is not to be had affects no other one, on an engine that brokers share.
 */

import { type LogStoreError, NotALogStoreError, UnavailableError } from "@logstore/codec";
import { Broker } from "@logstore/core";
import { MemoryEngine, MemoryHome, type SharedCatalogue } from "@logstore/core/engine";
import type { AssignmentEvent, JoinedEvent } from "@logstore/protocol";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { sealedBatch } from "../bytes.ts";
import { eventually } from "../eventually.ts";
import { instead, wrapped } from "./wrapped-engine.ts";

let home: MemoryHome;
/** Topics that cannot be looked up, and partitions that cannot be refreshed. */
let bad: Map<string | number, LogStoreError>;
/** What a refresh finds as the end of a log at most. */
let lastEnd: number;
/** Refreshes in progress now, and at most, and how many there were. */
let refreshing: { now: number; most: number; count: number };
/** How often the end of each partition's log was looked at. */
let looks: Map<number, number>;

/** A broker that knows a log's end only after a refresh. */
async function open(): Promise<Broker> {
  const engine = wrapped(new MemoryEngine(home, "b"), {
    catalogue: (catalogue) => {
      const shared = catalogue.shared as SharedCatalogue;
      const lookUp = async (topic: string) => {
        if (bad.has(topic)) throw bad.get(topic);
        return shared.lookUp(topic);
      };
      return instead(catalogue, { shared: instead(shared, { lookUp }) });
    },
    log: (log) => {
      let knownEnd = 0;
      const refresh = async () => {
        refreshing.count++;
        refreshing.most = Math.max(refreshing.most, ++refreshing.now);
        await new Promise(setImmediate);
        refreshing.now--;
        if (bad.has(log.partition)) throw bad.get(log.partition);
        knownEnd = Math.min(log.knownEnd, lastEnd);
      };
      return new Proxy(instead(log, { refresh }), {
        get: (target, name) => {
          if (name !== "knownEnd") return Reflect.get(target, name);
          looks.set(log.partition, (looks.get(log.partition) ?? 0) + 1);
          return knownEnd;
        },
      });
    },
  });
  return Broker.openOn(engine);
}

let a: Broker;
let b: Broker;

beforeEach(async () => {
  home = new MemoryHome();
  bad = new Map();
  lastEnd = Number.POSITIVE_INFINITY;
  refreshing = { now: 0, most: 0, count: 0 };
  looks = new Map();
  a = await Broker.openOn(new MemoryEngine(home, "a"));
  b = await open();
  onTestFinished(async () => {
    for (const each of [a, b]) await each.close();
  });
});

async function filled(topic: string, partitions: number): Promise<void> {
  await a.createTopic({ topic, partitions });
  for (let partition = 0; partition < partitions; partition++) {
    await a.produce({ topic, partition, batches: sealedBatch(["x", "y"]) });
  }
}

const committing = (topic: string, partitions: number, offset = 2) =>
  Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset }));

test("a commit to a partition that cannot be refreshed is refused, and the others of the call are made", async () => {
  await filled("t", 3);
  bad.set(1, new UnavailableError("no owner"));
  const results = await b.commitOffsets({ group: "g", offsets: committing("t", 3) });
  expect(results.map(({ error }) => error?.code)).toEqual([undefined, "UNAVAILABLE", undefined]);
  const { partitions } = await b.describeGroup("g");
  expect(partitions.map(({ committedOffset, lag }) => [committedOffset, lag])).toEqual([
    [2, 0],
    [2, 0],
  ]);
  const reset = (partition: number) => b.resetOffsets({ group: "g", partitions: [{ topic: "t", partition }], to: 1 });
  await expect(reset(1)).rejects.toMatchObject({ code: "UNAVAILABLE", partition: 1 });
  expect(await reset(2)).toMatchObject([{ offset: 1 }]);
});

test("a topic that cannot be looked up does not keep the groups from being opened, and keeps its commits", async () => {
  for (const topic of ["bad", "gone", "good"]) {
    await filled(topic, 1);
    await b.commitOffsets({ group: "g", offsets: committing(topic, 1) });
  }
  await b.close();
  bad.set("gone", new NotALogStoreError("its entry is damaged"));
  await a.deleteTopic("gone"); // so that it is not found, and looked up
  b = await open();
  const topics = async () => (await b.fetchOffsets("g")).map(({ topic }) => topic);
  expect(await topics()).toEqual(["bad", "gone", "good"]);
  expect((await b.describeGroup("g")).partitions.map(({ lag }) => lag)).toEqual([0, 0, 0]);
  const results = await b.commitOffsets({ group: "g", offsets: [...committing("gone", 1), ...committing("good", 1)] });
  expect(results.map(({ error }) => error?.code)).toEqual(["NOT_A_LOG_STORE", undefined]);
  await expect(b.resetOffsets({ group: "g", to: "earliest" })).rejects.toMatchObject({ code: "NOT_A_LOG_STORE" });
});

test("a topic that was unavailable when the groups were opened is compared with them later", async () => {
  for (const topic of ["good", "gone"]) {
    await filled(topic, 1);
    await b.commitOffsets({ group: "g", offsets: committing(topic, 1) });
  }
  await b.close();
  await a.deleteTopic("gone");
  bad.set("gone", new UnavailableError("try again", { retryAfterMs: 1 }));
  b = await open();
  expect(await b.fetchOffsets("g")).toHaveLength(2);
  bad.clear();
  await eventually(async () => (await b.fetchOffsets("g")).length === 1);
  expect(await b.fetchOffsets("g")).toMatchObject([{ topic: "good", offset: 2 }]);
});

test("a member is told that its offset is beyond the end of a log that was unavailable", async () => {
  await filled("t", 1);
  const request = { group: "g", topics: ["t"], sessionTimeoutMs: 60_000 };
  const before = b.joinGroup(request)[Symbol.asyncIterator]();
  const { memberId } = (await before.next()).value as JoinedEvent;
  const { memberEpoch } = (await before.next()).value as AssignmentEvent;
  await b.commitOffsets({ group: "g", memberId, memberEpoch, offsets: committing("t", 1) });
  await b.close();
  bad.set(0, new UnavailableError("no owner", { retryAfterMs: 1 }));
  lastEnd = 1;
  b = await open();
  const events = b.joinGroup({ ...request, memberId, memberEpoch })[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ type: "joined", memberEpoch });
  expect((await events.next()).value).toMatchObject({ type: "assignment", memberEpoch });
  bad.clear();
  await eventually(async () => (await b.fetchOffsets("g"))[0]!.offset === 1);
  const offsets = committing("t", 1, 1);
  expect((await events.next()).value).toMatchObject({ type: "offsetsReset", memberEpoch: memberEpoch + 1, offsets });
  expect(await b.commitOffsets({ group: "g", memberId, memberEpoch: memberEpoch + 1, offsets })).toEqual([{}]);
});

test("while a partition is unavailable, the groups are not compared with the others again and again", async () => {
  await filled("bad", 1);
  await filled("good", 3);
  await b.commitOffsets({ group: "g", offsets: [...committing("bad", 1), ...committing("good", 3).slice(2)] });
  await b.close();
  bad.set(0, new UnavailableError("no owner", { retryAfterMs: 1 }));
  b = await open();
  looks.clear();
  const { count } = refreshing;
  await eventually(() => refreshing.count > count + 10);
  expect([...looks.keys()]).toEqual([0]);
  bad.clear();
  const lags = async () => (await b.describeGroup("g")).partitions.map(({ lag }) => lag);
  expect(await lags()).toEqual([0, 0]);
});

test("the lag of a partition that cannot be read does not hide the others", async () => {
  await filled("t", 2);
  await b.commitOffsets({ group: "g", offsets: committing("t", 2, 1) });
  bad.set(0, new UnavailableError("no owner"));
  const { partitions } = await b.describeGroup("g");
  expect(partitions).toMatchObject([{ damage: { code: "UNAVAILABLE" } }, { lag: 1 }]);
});

test("commits to many partitions refresh a bounded number of them at a time", async () => {
  await filled("t", 200);
  const results = await b.commitOffsets({ group: "g", offsets: committing("t", 200) });
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  await b.describeTopic("t");
  expect(refreshing.most).toBeGreaterThan(1);
  expect(refreshing.most).toBeLessThanOrEqual(64);
});
