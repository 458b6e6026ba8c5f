/** The guarantees for members of consumer groups, in every home. */
import {
  type Consumer,
  type ConsumerOptions,
  connect,
  type LogClient,
  type ParkedRecord,
  text,
} from "@logstore/client";
import { Broker } from "@logstore/core";
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { seededRandom, utf8 } from "./bytes.ts";
import { eventually } from "./eventually.ts";
import { contractHomes, type Home, removeDirectory, stopShared, temporaryDirectory } from "./homes.ts";

/** A member that reads in the background, and the records that it has received. */
class Reader {
  readonly consumer: Consumer<string, string>;
  readonly seen: string[] = [];
  readonly told: string[] = [];
  /** Settles when the loop has ended. */
  readonly done: Promise<void>;
  failure: unknown;

  constructor(
    client: LogClient,
    options: Partial<Omit<ConsumerOptions<string, string>, "key" | "value">> = {},
    work: (place: string) => void | Promise<void> = () => {},
  ) {
    const names = (sign: string) => (partitions: readonly { partition: number }[]) => {
      for (const { partition } of partitions) this.told.push(`${sign}${partition}`);
    };
    this.consumer = client.consumer({
      group: "g",
      topics: ["t"],
      key: text(),
      value: text(),
      onAssigned: names("+"),
      onRevoked: names("-"),
      onLost: names("!"),
      ...options,
    });
    const read = async () => {
      for await (const { partition, offset } of this.consumer) {
        this.seen.push(`${partition}:${offset}`);
        await work(`${partition}:${offset}`);
      }
    };
    this.done = read().catch((error: unknown) => {
      this.failure = error;
    });
    readers.push(this);
  }

  get partitions(): number[] {
    return this.consumer.assignment.map(({ partition }) => partition).sort((a, b) => a - b);
  }

  /** Number of partitions that it owns according to its callbacks, which follow the assignment. */
  get toldCount(): number {
    return this.told.reduce((count, each) => count + (each.startsWith("+") ? 1 : -1), 0);
  }
}

const readers: Reader[] = [];

afterEach(async () => {
  const ends = readers.splice(0).map(({ consumer, done }) => consumer.close().then(() => done));
  await Promise.allSettled(ends); // those of a client that was killed cannot leave
});

afterAll(stopShared);

describe.each(Object.entries(contractHomes))("%s", (_name, openHome) => {
  let home: Home;
  let client: LogClient;

  beforeEach(async () => {
    home = await openHome();
    client = home.client;
  });

  afterEach(() => home.close());

  /** Appends that many records to each partition. */
  async function fill(partitions: number, count: number, topic = "t"): Promise<string[]> {
    const producer = client.producer(topic, { durability: "written" });
    const records = Array.from({ length: partitions * count }, (_, i) => ({
      value: `${i}`,
      partition: i % partitions,
    }));
    const acks = await Promise.all(records.map((record) => producer.send(record)));
    return acks.map(({ partition, offset }) => `${partition}:${offset}`).toSorted();
  }

  const isStable = async (group = "g") => (await client.describeGroup(group)).state === "stable";

  test("a recreated topic is a new one for its group: old commits do not count, and members are notified", async () => {
    await client.createTopic("t", { partitions: 2 });
    const old = await client.describeTopic("t");
    await fill(2, 10);
    const recreated: unknown[] = [];
    const reader = new Reader(client, {
      commitIntervalMs: 20,
      onTopicRecreated: (event) => recreated.push(event),
    });
    await eventually(async () => {
      const committed = await client.fetchOffsets("g").catch(() => []);
      return committed.length === 2 && committed.every(({ offset }) => offset === 10);
    });
    const { client: another } = home.another();
    await another.deleteTopic("t");
    const { topicId } = await another.createTopic("t", { partitions: 3 });
    await another.close();
    const before = reader.seen.length;
    const sent = await fill(3, 15);
    await eventually(() => reader.seen.length >= before + sent.length);
    expect(reader.seen.slice(before).toSorted()).toEqual(sent);
    expect(recreated).toEqual([{ topic: "t", topicId, previousTopicId: old.topicId }]);
    await eventually(async () => {
      const committed = await client.fetchOffsets("g");
      return committed.length === 3 && committed.every((one) => one.topicId === topicId && one.offset === 15);
    });
    expect(reader.failure).toBeUndefined();
  });

  test("a single member receives everything, and its group resumes at its committed offsets", async () => {
    await client.createTopic("t", { partitions: 4 });
    const sent = await fill(4, 25);
    const first = new Reader(client);
    await eventually(() => first.seen.length === 100);
    expect(first.partitions).toEqual([0, 1, 2, 3]);
    expect(first.seen.toSorted()).toEqual(sent);
    await first.consumer.close();
    await first.done;
    const more = await fill(4, 5);
    const second = new Reader(client);
    await eventually(() => second.seen.length === 20);
    expect(second.seen.toSorted()).toEqual(more);
  });

  test("of three members, a new one receives only moved partitions, and no partition has two owners at a time", async () => {
    await client.createTopic("t", { partitions: 12 });
    const working = new Map<string, string>();
    const clashes: string[] = [];
    const member = (name: string) =>
      new Reader(client, { clientId: name }, async (place) => {
        const partition = place.split(":")[0]!;
        const other = working.get(partition);
        if (other !== undefined) clashes.push(`${name} and ${other} on ${partition}`);
        working.set(partition, name);
        await new Promise((resolve) => setTimeout(resolve, Number(place.split(":")[1]) % 3));
        working.delete(partition);
      });
    const sent = await fill(12, 60);
    const members = [member("a")];
    await eventually(() => members[0]!.seen.length > 20);
    members.push(member("b"));
    await eventually(async () => members[1]!.partitions.length === 6 && (await isStable()));
    expect(members[0]!.told.filter((one) => one.startsWith("-"))).toHaveLength(6);
    members.push(member("c"));
    await eventually(async () => members[2]!.partitions.length === 4 && (await isStable()));
    for (const one of members.slice(0, 2)) {
      expect(one.partitions).toHaveLength(4);
      expect(one.told.filter((told) => told.startsWith("+"))).toHaveLength(one === members[0] ? 12 : 6);
    }
    expect(members[0]!.told.filter((told) => told.startsWith("-"))).toHaveLength(8);
    await eventually(() => new Set(members.flatMap(({ seen }) => seen)).size === sent.length);
    const all = members.flatMap(({ seen }) => seen);
    expect(all.toSorted()).toEqual(sent); // moved partitions were committed first: no record is delivered twice
    expect(clashes).toEqual([]);
    expect(members.flatMap(({ told }) => told).filter((told) => told.startsWith("!"))).toEqual([]);
  });

  test("a member that leaves is replaced at once; one that dies after its session, and its uncommitted records are redelivered", async () => {
    await client.createTopic("t", { partitions: 4 });
    const mortal = home.another();
    const first = new Reader(client);
    const leaving = new Reader(client);
    const dying = new Reader(mortal.client, { sessionTimeoutMs: 1_500, commit: "manual" });
    await eventually(() => leaving.partitions.length > 0 && dying.partitions.length > 0 && isStable());
    await fill(4, 3);
    await eventually(() => first.seen.length + leaving.seen.length + dying.seen.length === 12);
    await leaving.consumer.close();
    await eventually(() => first.partitions.length + dying.partitions.length === 4);
    const before = dying.partitions;
    const seen = new Set(dying.seen);
    mortal.kill();
    await eventually(() => first.partitions.length === 4);
    expect(before.length).toBeGreaterThan(0);
    await eventually(() => [...seen].every((one) => first.seen.includes(one)));
    await dying.done;
    expect(dying.failure).toMatchObject({ code: "CLOSED" });
  });

  test("a member that rejoins within its session keeps its partitions", async () => {
    await client.createTopic("t", { partitions: 4 });
    const other = new Reader(client, { instanceId: "other" });
    const mortal = home.another();
    const static_ = { instanceId: "mine", sessionTimeoutMs: 20_000 };
    const first = new Reader(mortal.client, static_);
    await eventually(
      () => first.partitions.length === 2 && other.partitions.length === 2 && other.toldCount === 2 && isStable(),
    );
    const had = first.partitions;
    const told = [...other.told];
    mortal.kill();
    await first.done;
    const again = new Reader(client, static_);
    await eventually(() => again.partitions.length === 2);
    expect(again.partitions).toEqual(had);
    await eventually(() => isStable());
    expect(other.told).toEqual(told);
  });

  test("a static member that closes and rejoins keeps its partitions and resumes; one that leaves does not", async () => {
    await client.createTopic("t", { partitions: 4 });
    const sent = await fill(4, 3);
    const other = new Reader(client, { instanceId: "other" });
    const static_ = { instanceId: "mine", sessionTimeoutMs: 20_000 };
    const first = new Reader(client, static_);
    await eventually(() => first.partitions.length === 2 && other.partitions.length === 2 && isStable());
    await eventually(() => new Set([...other.seen, ...first.seen]).size === 12);
    const had = first.partitions;
    const told = [...other.told];
    await first.consumer.close();
    await first.done;
    const again = new Reader(client, static_);
    await eventually(() => again.partitions.length === 2);
    expect(again.partitions).toEqual(had);
    const more = await fill(4, 1);
    await eventually(() => other.seen.length + first.seen.length + again.seen.length === 16);
    expect([...other.seen, ...first.seen, ...again.seen].toSorted()).toEqual([...sent, ...more].toSorted());
    expect(other.told).toEqual(told);
    await again.consumer.close({ leave: true });
    await eventually(() => other.partitions.length === 4);
  });

  test("of two members with the same instance id the later one stays, and the earlier one is fenced", async () => {
    await client.createTopic("t", { partitions: 2 });
    const first = new Reader(client, { instanceId: "mine" });
    await eventually(() => first.told.length === 2);
    const second = new Reader(client, { instanceId: "mine" });
    await first.done;
    expect(first.failure).toMatchObject({ code: "FENCED_MEMBER" });
    expect(first.told.toSorted()).toEqual(["!0", "!1", "+0", "+1"]);
    await eventually(() => second.partitions.length === 2);
  });

  test("manual commits, with metadata; nothing else is committed", async () => {
    await client.createTopic("t", { partitions: 1 });
    await fill(1, 10);
    const consumer = client.consumer({ group: "g", topics: ["t"], commit: "manual" });
    for await (const { offset } of consumer) {
      if (offset === 2) await consumer.commit();
      if (offset === 4) await consumer.commit("t", 0, 4, "before five");
      if (offset === 7) break;
    }
    const [committed, ...others] = await client.fetchOffsets("g");
    expect(committed).toMatchObject({ topic: "t", partition: 0, offset: 4, metadata: "before five" });
    expect(others).toEqual([]);
    expect(committed!.committedAt).toBeGreaterThan(Date.now() - 60_000);
    const again = new Reader(client);
    await eventually(() => again.seen.length === 6);
    expect(again.seen[0]).toBe("0:4");
    await expect(consumer.commit("t", 0, 9)).rejects.toMatchObject({ code: "FENCED_MEMBER" });
  });

  test("a member can start at the end or at a time, or refuse to choose", async () => {
    await client.createTopic("t", { partitions: 1 });
    await fill(1, 3);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const time = Date.now();
    await fill(1, 2);
    const latest = new Reader(client, { group: "latest", from: "latest" });
    const timed = new Reader(client, { group: "timed", from: { time } });
    const none = new Reader(client, { group: "none", from: "none" });
    await eventually(() => latest.told.length === 1 && timed.seen.length === 2);
    await none.done;
    expect(none.failure).toMatchObject({ code: "NO_COMMITTED_OFFSET", topic: "t", partition: 0 });
    await fill(1, 1);
    await eventually(() => latest.seen.length === 1 && timed.seen.length === 3);
    expect(latest.seen).toEqual(["0:5"]);
    expect(timed.seen).toEqual(["0:3", "0:4", "0:5"]);
  });

  test("deleted records are not skipped silently", async () => {
    await client.createTopic("t", { partitions: 1 });
    await fill(1, 5);
    await home.api.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset: 1 }] });
    await client.deleteRecords("t", 0, 3);
    const strict = new Reader(client, { from: "none" });
    await strict.done;
    expect(strict.failure).toMatchObject({ code: "OFFSET_OUT_OF_RANGE", topic: "t", offset: 1, expected: 3 });
    const skipped: unknown[] = [];
    const reader = new Reader(client, { onSkipped: (one) => void skipped.push(one) });
    await eventually(() => reader.seen.length === 2);
    expect(skipped).toEqual([{ topic: "t", partition: 0, from: 1, to: 3 }]);
    expect(reader.seen).toEqual(["0:3", "0:4"]);
  });

  test("seek, pause and resume change positions; lag is known", async () => {
    await client.createTopic("t", { partitions: 2 });
    await fill(2, 5);
    const reader = new Reader(client);
    const { consumer } = reader;
    await eventually(() => reader.seen.length === 10);
    expect([0, 1].map((partition) => consumer.lag("t", partition))).toEqual([0, 0]);
    expect(consumer.lagMs("t", 0)).toBe(0);
    consumer.pause("t", 1);
    consumer.seek("t", 0, 3);
    await eventually(() => reader.seen.length === 12);
    expect(reader.seen.slice(10)).toEqual(["0:3", "0:4"]);
    await fill(2, 1);
    await eventually(() => reader.seen.length === 13);
    expect(reader.seen[12]).toBe("0:5");
    consumer.resume("t", 1);
    await eventually(() => reader.seen.length === 14);
    expect(reader.seen[13]).toBe("1:5");
    expect(consumer.position("t", 1)).toBe(6);
  });

  test("a reset reaches a running member", async () => {
    await client.createTopic("t", { partitions: 2 });
    await fill(2, 5);
    const reader = new Reader(client, { commitIntervalMs: 10 });
    await eventually(() => reader.seen.length === 10);
    await eventually(async () => (await client.fetchOffsets("g")).length === 2);
    const reset = await client.resetOffsets("g", { partitions: [{ topic: "t", partition: 1 }], to: 2 });
    expect(reset).toMatchObject([{ topic: "t", partition: 1, offset: 2 }]);
    await eventually(() => reader.seen.length === 13);
    expect(reader.seen.slice(10)).toEqual(["1:2", "1:3", "1:4"]);
    await client.resetOffsets("g", { to: "earliest" });
    await eventually(() => reader.seen.length === 23);
  });

  test("a member that commits each record does not undo a concurrent reset", async () => {
    await client.createTopic("t", { partitions: 1 });
    await fill(1, 100);
    const { consumer, seen } = new Reader(client, { commitIntervalMs: 1 }, () => consumer.commit());
    for (let round = 0; round < 20; round++) {
      const before = seen.length;
      await eventually(() => seen.length > before + round);
      consumer.pause("t", 0); // only records received before may still be committed
      const reset = client.resetOffsets("g", { to: "earliest" });
      await reset;
      const [after] = await client.fetchOffsets("g");
      expect(after!.offset).toBeLessThanOrEqual(1);
      await eventually(() => consumer.position("t", 0) === 0);
      expect((await client.fetchOffsets("g"))[0]!.offset).toBe(0);
      consumer.resume("t", 0);
    }
  });

  test("a member that does not read keeps its partitions, and its lag is visible", async () => {
    await client.createTopic("t", { partitions: 1 });
    await fill(1, 200);
    const stuck = Promise.withResolvers<void>();
    const slow = new Reader(client, { sessionTimeoutMs: 1_500 }, () => stuck.promise);
    try {
      await eventually(() => slow.seen.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      expect(slow.told).toEqual(["+0"]);
      expect(slow.consumer.lag("t", 0)).toBe(199);
      const { partitions, members } = await client.describeGroup("g");
      expect(members).toMatchObject([{ connected: true, assigned: [{ topic: "t", partition: 0 }] }]);
      expect(partitions).toMatchObject([{ logEndOffset: 200, lag: 200, memberId: members[0]!.memberId }]);
      expect(partitions[0]!.lagMs).toBeGreaterThan(0);
    } finally {
      stuck.resolve();
    }
    await eventually(() => slow.seen.length === 200);
  });

  test("a pattern matches topics that are created later", async () => {
    await client.createTopic("t-1", { partitions: 1 });
    await client.createTopic("u", { partitions: 1 });
    const reader = new Reader(client, { topics: ["t-*"] });
    await eventually(() => reader.partitions.length === 1);
    await client.createTopic("t-2", { partitions: 2 });
    await eventually(() => reader.partitions.length === 3);
    await fill(2, 1, "t-2");
    await eventually(() => reader.seen.length === 2);
  });

  test("a deleted topic does not affect the others of a reader; a new topic of its name is read from its start", async () => {
    await client.createTopic("t-1", { partitions: 1 });
    await client.createTopic("t-2", { partitions: 1 });
    await fill(1, 5, "t-1");
    const reader = new Reader(client, { topics: ["t-*"], commitIntervalMs: 5 });
    await eventually(() => reader.seen.length === 5);
    await client.deleteTopic("t-1");
    await fill(1, 2, "t-2");
    await eventually(() => reader.seen.length === 7);
    await client.createTopic("t-1", { partitions: 1 });
    await fill(1, 3, "t-1");
    await eventually(() => reader.seen.length === 10);
    expect(reader.seen.slice(7)).toEqual(["0:0", "0:1", "0:2"]);
    expect(reader.failure).toBeUndefined();
  });

  test("groups are listed, described and deleted", async () => {
    await client.createTopic("t", { partitions: 2 });
    await fill(2, 4);
    const b = new Reader(client, { group: "b", clientId: "worker-1", assignor: "range", commitIntervalMs: 5 });
    const a = new Reader(client, { group: "a" });
    await eventually(async () => b.seen.length === 8 && (await client.fetchOffsets("b")).length === 2);
    await eventually(() => a.seen.length === 8);
    expect(await client.listGroups()).toMatchObject([
      { group: "a", state: "stable", memberCount: 1 },
      { group: "b", state: "stable", memberCount: 1 },
    ]);
    const described = await client.describeGroup("b");
    expect(described).toMatchObject({ group: "b", state: "stable", assignor: "range" });
    expect(described.members).toMatchObject([
      { clientId: "worker-1", topics: ["t"], instanceId: undefined, revoking: [] },
    ]);
    await expect(client.deleteGroup("b")).rejects.toMatchObject({ code: "GROUP_NOT_EMPTY", group: "b" });
    await b.consumer.close();
    expect(await client.describeGroup("b")).toMatchObject({
      state: "empty",
      partitions: [0, 1].map((partition) => ({ partition, committedOffset: 4, logEndOffset: 4, lag: 0, lagMs: 0 })),
    });
    await client.deleteGroup("b");
    await expect(client.describeGroup("b")).rejects.toMatchObject({ code: "UNKNOWN_GROUP", group: "b" });
    expect((await client.listGroups()).map(({ group }) => group)).toEqual(["a"]);
  });

  describe("run", () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

    test(`keys are processed in order and concurrently, whatever the durations (SEED=${seed})`, async () => {
      const random = seededRandom(seed);
      await client.createTopic("t", { partitions: 3 });
      const producer = client.producer("t", { durability: "written" });
      const count = 600;
      for (let i = 0; i < count; i++) {
        void producer.send({ key: random() < 0.1 ? null : `k${Math.floor(random() * 20)}`, value: `${i}` });
      }
      await producer.flush();
      const consumer = client.consumer({ group: "g", topics: ["t"], key: text(), value: text() });
      const lastOf = new Map<string, number>();
      const workingOn = new Set<string>();
      const faults: string[] = [];
      const done = new Set<string>();
      let working = 0;
      let mostWorking = 0;
      const abort = new AbortController();
      await consumer.run({
        concurrency: 8,
        maxInFlightRecords: 50,
        retry: { initialBackoffMs: 1, maxBackoffMs: 5 },
        signal: abort.signal,
        async eachRecord({ key, value }, { attempt }) {
          if (key !== null && workingOn.has(key)) faults.push(`${key} at the same time`);
          if (key !== null) workingOn.add(key);
          mostWorking = Math.max(mostWorking, ++working);
          await new Promise((resolve) => setTimeout(resolve, random() * 4));
          working--;
          if (key !== null) workingOn.delete(key);
          if (attempt < 3 && random() < 0.1) throw new Error("again");
          if (key !== null && (lastOf.get(key) ?? -1) >= Number(value)) faults.push(`${key}: ${value}`);
          if (key !== null) lastOf.set(key, Number(value));
          done.add(value);
          if (done.size === count) abort.abort();
        },
      });
      expect(faults).toEqual([]);
      expect(mostWorking).toBe(8);
      const { partitions } = await client.describeGroup("g");
      expect(partitions.map(({ lag }) => lag)).toEqual([0, 0, 0]);
    });

    test("a failing record blocks only its key and is parked; after a fix it is replayed once", async () => {
      await client.createTopic("t", { partitions: 1 });
      const producer = client.producer("t");
      const headers = [{ name: "trace", value: "abc" }];
      for (const [key, value] of [
        ["bad", "poison"],
        ["bad", "after"],
        ["good", "1"],
        ["good", "2"],
      ] as const) {
        await producer.send({ key, value, headers, timestamp: 7 });
      }
      let isMended = false;
      const work = async (until: string) => {
        const processed: string[] = [];
        const abort = new AbortController();
        await client.consumer({ group: "g", topics: ["t"], key: text(), value: text() }).run({
          retry: { attempts: 3, initialBackoffMs: 30, maxBackoffMs: 30 },
          signal: abort.signal,
          eachRecord({ value, headers }) {
            if (value === "poison" && !isMended) throw new Error("cannot");
            processed.push(value);
            if (headers.length > 1) processed.push(headers.map(({ name, value }) => `${name}=${utf8(value)}`).join());
            if (value === until) abort.abort();
          },
        });
        return processed;
      };
      expect(await work("after")).toEqual(["1", "2", "after"]);
      expect(await client.fetchOffsets("g")).toMatchObject([{ offset: 4 }]);
      const parked: ParkedRecord[] = await Array.fromAsync(client.parked("t", "g"));
      expect(parked.map(({ key, value, ...rest }) => ({ key: utf8(key), value: utf8(value), ...rest }))).toEqual([
        {
          topic: "t",
          topicId: (await client.describeTopic("t")).topicId,
          partition: 0,
          offset: 0,
          timestamp: 7,
          key: "bad",
          value: "poison",
          headers: [{ name: "trace", value: expect.anything() }],
          reason: "cannot",
          attempts: 3,
          parkedAt: expect.any(Number),
          parkedOffset: 0,
          isLeftOut: false,
        },
      ]);
      isMended = true;
      expect(await client.parked("t", "g").replay()).toEqual({ replayed: 1, kept: 0 });
      expect(await client.parked("t", "g").replay()).toEqual({ replayed: 0, kept: 0 });
      expect(await Array.fromAsync(client.parked("t", "g"))).toEqual([]);
      expect(await work("poison")).toEqual(["poison", "trace=abc,logstore-replayed-from=t.g.parked/0/0"]);
    });

    test("parked records can be selected, and handed to another handler", async () => {
      await client.createTopic("t", { partitions: 1 });
      expect(await Array.fromAsync(client.parked("t", "g"))).toEqual([]);
      expect(await client.parked("t", "g").replay()).toEqual({ replayed: 0, kept: 0 });
      await Promise.all(["a", "b", "c"].map((value) => client.producer("t").send({ value })));
      const abort = new AbortController();
      let tries = 0;
      await client.consumer({ group: "g", topics: ["t"], commitIntervalMs: 5 }).run({
        retry: { attempts: 1 },
        signal: abort.signal,
        eachRecord() {
          if (++tries === 3) void eventually(async () => (await listed()).length === 3).then(() => abort.abort());
          throw new Error("no");
        },
      });
      async function listed() {
        return (await Array.fromAsync(client.parked("t", "g"))).map(({ value }) => utf8(value)!).toSorted();
      }
      const got: (string | null)[] = [];
      const to = ({ value }: ParkedRecord) => void got.push(utf8(value));
      const filter = ({ value }: ParkedRecord) => utf8(value) === "b";
      expect(await client.parked("t", "g").replay({ filter, to })).toEqual({ replayed: 1, kept: 2 });
      expect(got).toEqual(["b"]);
      expect(await listed()).toEqual(["a", "c"]);
      // Even if the replay group was deleted: the replayed records no longer exist.
      await client.deleteGroup("g.replay");
      expect(await listed()).toEqual(["a", "c"]);
      const failing = client.parked("t", "g").replay({ to: () => Promise.reject(new Error("not yet")) });
      await expect(failing).rejects.toThrow("not yet");
      expect(await listed()).toEqual(["a", "c"]);
      expect((await client.describeTopic("t")).partitions[0]!.logEndOffset).toBe(3);
    });

    test("a deleted parking topic is recreated; records parked from an earlier topic are not replayed into the present one", async () => {
      const { topicId } = await client.createTopic("t", { partitions: 1 });
      const listed = async () => (await Array.fromAsync(client.parked("t", "g"))).map(({ value }) => utf8(value));
      const abort = new AbortController();
      const running = client.consumer({ group: "g", topics: ["t"], commitIntervalMs: 5 }).run({
        retry: { attempts: 1 },
        signal: abort.signal,
        eachRecord: () => Promise.reject(new Error("no")),
      });
      for (const value of ["a", "b"]) {
        await client.producer("t").send({ value });
        await eventually(async () => (await listed()).includes(value));
        if (value === "a") await client.deleteTopic("t.g.parked");
      }
      abort.abort();
      await running;
      await client.deleteTopic("t");
      await client.createTopic("t", { partitions: 1 });
      await expect(client.parked("t", "g").replay()).rejects.toMatchObject({
        code: "INCONSISTENT_TOPIC_ID",
        topic: "t",
      });
      expect(await listed()).toEqual(["b"]);
      expect((await client.describeTopic("t")).partitions[0]!.logEndOffset).toBe(0);
      const former: (string | undefined)[] = [];
      const to = (record: ParkedRecord) => void former.push(record.topicId);
      expect(await client.parked("t", "g").replay({ to })).toEqual({ replayed: 1, kept: 0 });
      expect(former).toEqual([topicId]);
    });

    test("a record of the largest size is parked in shortened form, and blocks nothing", async () => {
      await client.createTopic("t", { partitions: 1 });
      const producer = client.producer("t");
      const largest = 16 * 1024 * 1024;
      const bytes = new Uint8Array(largest);
      await producer.send({ key: "a", value: bytes.subarray(120) });
      await producer.send({ key: "b", value: bytes.subarray(600) }); // leaves room for a short reason
      await producer.send({ key: bytes.subarray(120), value: "" });
      await producer.send({ value: "last" });
      const abort = new AbortController();
      await client.consumer({ group: "g", topics: ["t"], value: text() }).run({
        concurrency: 1,
        retry: { attempts: 1 },
        signal: abort.signal,
        eachRecord({ value }) {
          if (value !== "last") throw new Error("x".repeat(5_000));
          abort.abort();
        },
      });
      expect(await client.fetchOffsets("g")).toMatchObject([{ offset: 4 }]);
      const parked: ParkedRecord[] = await Array.fromAsync(client.parked("t", "g"));
      const told = parked.map(({ offset, key, value, reason, isLeftOut }) => {
        return [offset, key?.length, value.length, reason.length, isLeftOut];
      });
      expect(told).toEqual([
        [0, 1, 0, 100, true],
        [1, 1, largest - 600, 100, false],
        [2, undefined, 0, 100, true],
      ]);
      // A shortened record must not be replayed as if it were complete.
      const replay = client.parked("t", "g").replay({ filter: ({ offset }) => offset !== 1 });
      expect(await replay).toEqual({ replayed: 0, kept: 3 });
      const got: number[] = [];
      await client.parked("t", "g").replay({ to: ({ offset }) => void got.push(offset) });
      expect(got).toEqual([0, 1, 2]);
    });

    test("without parking, a failing record fails the run, and is delivered again", async () => {
      await client.createTopic("t", { partitions: 1 });
      await fill(1, 3);
      const run = () =>
        client.consumer({ group: "g", topics: ["t"], value: text() }).run({
          park: false,
          retry: { attempts: 2, initialBackoffMs: 1 },
          eachRecord({ value }) {
            if (value === "1") throw new Error("poison");
          },
        });
      await expect(run()).rejects.toThrow("poison");
      await expect(run()).rejects.toThrow("poison");
      expect(await client.fetchOffsets("g")).toMatchObject([{ offset: 1 }]);
    });

    test("a partition moves only when its records in progress are done", async () => {
      await client.createTopic("t", { partitions: 2 });
      await fill(2, 50);
      const working = new Map<string, number>();
      const clashes: string[] = [];
      const processed: string[] = [];
      const busy = [0, 0];
      const abort = new AbortController();
      const runner = (name: number) =>
        client.consumer({ group: "g", topics: ["t"] }).run({
          concurrency: 4,
          signal: abort.signal,
          async eachRecord({ partition, offset }) {
            const place = `${partition}`;
            const other = working.get(place);
            if (other !== undefined && other !== name) clashes.push(`${name} and ${other} on ${place}`);
            working.set(place, name);
            busy[partition]!++;
            await new Promise((resolve) => setTimeout(resolve, 4));
            processed.push(`${partition}:${offset}`);
            if (--busy[partition]! === 0) working.delete(place);
            if (processed.length === 100) abort.abort();
          },
        });
      const first = runner(1);
      await eventually(() => processed.length > 10);
      const second = runner(2);
      await Promise.all([first, second]);
      expect(clashes).toEqual([]);
      expect(processed.toSorted()).toEqual([...new Set(processed)].toSorted());
    });
  });
});

test("committed offsets are there when a directory is reopened", async () => {
  const directory = await temporaryDirectory();
  onTestFinished(() => removeDirectory(directory));
  const session = async (work: (client: LogClient) => Promise<void>) => {
    await using broker = await Broker.open(directory);
    await using client = connect(broker);
    await work(client);
  };
  await session(async (client) => {
    await client.createTopic("t", { partitions: 1 });
    await client.producer("t").sendMany(Array.from({ length: 5 }, (_, i) => ({ value: `${i}` })));
    const consumer = client.consumer({ group: "g", topics: ["t"] });
    for await (const { offset } of consumer) if (offset === 3) break;
  });
  await session(async (client) => {
    expect(await client.fetchOffsets("g")).toMatchObject([{ topic: "t", partition: 0, offset: 3 }]);
    for await (const { offset } of client.consumer({ group: "g", topics: ["t"] })) {
      expect(offset).toBe(3);
      break;
    }
  });
});
