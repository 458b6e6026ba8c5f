import type { CommitResult, MemberEvent } from "@logstore/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestMember } from "../../test/group-member.js";
import { HookedStorage } from "../../test/hooked-storage.js";
import { sealed } from "../../test/records.js";
import { Broker, type BrokerOptions, MemoryStorage } from "../index.js";

const storage = () => new HookedStorage();
let disk: HookedStorage;
let broker: Broker;

beforeEach(async () => {
  disk = storage();
  broker = await Broker.open("data", { storage: disk });
  await broker.createTopic({ topic: "t", partitions: 4 });
});

afterEach(() => broker.close());

async function reopen(options: BrokerOptions = {}): Promise<void> {
  await broker.close();
  broker = await Broker.open("data", { storage: disk, ...options });
}

/** Appends `count` records, one per batch. */
async function append(partition: number, count: number, topic = "t"): Promise<void> {
  for (let i = 0; i < count; i++) await broker.produce({ topic, partition, batches: sealed([`${i}`]) });
}

const join = (request: { topics?: string[]; group?: string } = {}) =>
  TestMember.join(broker, { group: "g", topics: ["t"], ...request });

function commit(
  member: TestMember | undefined,
  partition: number,
  offset: number,
  metadata?: string,
): Promise<CommitResult[]> {
  const { memberId, epoch: memberEpoch } = member ?? {};
  return broker.commitOffsets({
    group: "g",
    memberId,
    memberEpoch,
    offsets: [{ topic: "t", partition, offset, metadata }],
  });
}

const committed = async () =>
  (await broker.fetchOffsets("g")).map(({ partition, offset }) => `${partition}:${offset}`).join(" ");

describe("commits", () => {
  test("are restored with their metadata when the broker is reopened", async () => {
    await append(1, 5);
    disk.time = 1_700_000_000_000;
    await reopen();
    expect(await commit(undefined, 1, 5, "five")).toEqual([{}]);
    await reopen();
    const [found] = await broker.fetchOffsets("g");
    expect(found).toMatchObject({ topic: "t", partition: 1, offset: 5, metadata: "five" });
    expect(found!.committedAt - 1_700_000_000_000).toBeLessThan(600_000);
    expect(
      await broker.fetchOffsets("g", [
        { topic: "t", partition: 0 },
        { topic: "t", partition: 1 },
      ]),
    ).toEqual([found]);
    expect(await broker.fetchOffsets("nobody")).toEqual([]);
  });

  test("are accepted from the owner only, for each partition separately", async () => {
    await append(0, 5);
    await append(2, 5);
    const one = await join();
    await one.assigned();
    const two = await join();
    await two.assigned();
    await one.gives();
    expect(await two.assigned()).toBe("2 3");
    const { memberId, epoch: memberEpoch } = one;
    const offsets = [0, 2].map((partition) => ({ topic: "t", partition, offset: 1 }));
    const results = await broker.commitOffsets({ group: "g", memberId, memberEpoch, offsets });
    expect(results).toMatchObject([{}, { error: { code: "FENCED_MEMBER", group: "g", topic: "t", partition: 2 } }]);
    expect(await committed()).toBe("0:1");
  });

  test("are accepted from an owner until it has revoked the partition", async () => {
    await append(3, 5);
    const one = await join();
    await one.assigned();
    const two = await join();
    await two.assigned();
    const { revoking } = await one.next("assignment");
    expect(await commit(one, 3, 4)).toEqual([{}]);
    one.membership.revoked(one.epoch, revoking);
    expect((await two.next("assignment")).partitions).toMatchObject([
      { partition: 2 },
      { partition: 3, committedOffset: 4 },
    ]);
    expect(await commit(one, 3, 5)).toMatchObject([{ error: { code: "FENCED_MEMBER" } }]);
    expect(await commit(two, 3, 5)).toEqual([{}]);
  });

  test("with an epoch from before the member owned the partition, or a future one, are refused", async () => {
    await append(0, 5);
    const one = await join();
    await one.assigned();
    const { memberId, epoch } = one;
    const with_ = (memberEpoch: number) =>
      broker.commitOffsets({ group: "g", memberId, memberEpoch, offsets: [{ topic: "t", partition: 0, offset: 1 }] });
    expect(await with_(epoch - 1)).toMatchObject([
      { error: { code: "FENCED_MEMBER", expected: epoch, actual: epoch - 1 } },
    ]);
    expect(await with_(epoch + 1)).toMatchObject([{ error: { code: "FENCED_MEMBER" } }]);
    expect(await with_(epoch)).toEqual([{}]);
  });

  test("never move an offset back", async () => {
    await append(0, 5);
    await commit(undefined, 0, 4);
    expect(await commit(undefined, 0, 2)).toEqual([{}]);
    const [two, three] = [2, 3].map((offset) => ({ topic: "t", partition: 1, offset }));
    await append(1, 5);
    await broker.commitOffsets({ group: "g", offsets: [three!, two!] });
    expect(await committed()).toBe("0:4 1:3");
  });

  test("without a member are accepted only for groups without members", async () => {
    await append(0, 5);
    const one = await join();
    expect(await commit(undefined, 0, 1)).toMatchObject([{ error: { code: "GROUP_NOT_EMPTY" } }]);
    await one.membership.leave();
    expect(await commit(undefined, 0, 1)).toEqual([{}]);
    expect(await commit(one, 0, 2)).toMatchObject([{ error: { code: "FENCED_MEMBER" } }]);
  });

  test("are accepted only for existing partitions and offsets", async () => {
    await append(0, 5);
    expect(await commit(undefined, 0, 6)).toMatchObject([
      { error: { code: "OFFSET_OUT_OF_RANGE", expected: 5, offset: 6 } },
    ]);
    expect(await commit(undefined, 9, 0)).toMatchObject([{ error: { code: "UNKNOWN_PARTITION" } }]);
    const offsets = [{ topic: "none", partition: 0, offset: 0 }];
    expect(await broker.commitOffsets({ group: "g", offsets })).toMatchObject([
      { error: { code: "UNKNOWN_TOPIC", topic: "none" } },
    ]);
    await expect(commit(undefined, 0, -1)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(commit(undefined, 0, 1.5)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(commit(undefined, 0, 1, "ä".repeat(2049))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      actual: 4098,
    });
    expect(await commit(undefined, 0, 1, "ä".repeat(2048))).toEqual([{}]);
  });

  test("that arrive together share a sync", async () => {
    await append(0, 1);
    await commit(undefined, 0, 0);
    disk.calls.length = 0;
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        broker.commitOffsets({ group: `g${i}`, offsets: [{ topic: "t", partition: 0, offset: 1 }] }),
      ),
    );
    expect(disk.calls.filter(({ kind, path }) => kind === "sync" && path.includes("/groups/")).length).toBeLessThan(5);
  });
});

describe("topics", () => {
  test("that are created and deleted change a member's partitions, and deletion drops their commits", async () => {
    const one = await join({ topics: ["u*"] });
    expect(await one.assigned()).toBe("");
    await broker.createTopic({ topic: "u", partitions: 2 });
    expect(await one.assigned()).toBe("0 1");
    await append(0, 3, "u");
    const { memberId, epoch: memberEpoch } = one;
    const request = { group: "g", memberId, memberEpoch, offsets: [{ topic: "u", partition: 0, offset: 3 }] };
    expect(await broker.commitOffsets(request)).toEqual([{}]);
    await broker.deleteTopic("u");
    expect(await broker.fetchOffsets("g")).toEqual([]);
    expect(await broker.commitOffsets(request)).toMatchObject([{ error: { code: "FENCED_MEMBER" } }]);
    await broker.createTopic({ topic: "u", partitions: 2 });
    await append(0, 3, "u");
    expect(await one.assigned()).toBe("(0) (1)");
    // A commit of the member now refers to the deleted topic.
    expect(await broker.commitOffsets({ ...request, memberEpoch: one.epoch })).toMatchObject([
      { error: { code: "FENCED_MEMBER" } },
    ]);
    one.membership.revoked(one.epoch, [
      { topic: "u", partition: 0 },
      { topic: "u", partition: 1 },
    ]);
    expect((await one.next("assignment")).partitions).toMatchObject([
      { topic: "u", partition: 0, committedOffset: undefined },
      { topic: "u", partition: 1, committedOffset: undefined },
    ]);
  });

  test("that are restored from a snapshot are assigned like new ones", async () => {
    await broker.createSnapshot("t", "s");
    const one = await join({ topics: ["n*"] });
    expect(await one.assigned()).toBe("");
    await broker.restoreSnapshot("t", "s", "new");
    expect(await one.assigned()).toBe("0 1 2 3");
  });

  test("that cannot be read at present keep their commits", async () => {
    await append(0, 1);
    await commit(undefined, 0, 1);
    await broker.close();
    const [id] = (await disk.list("data/topics"))!;
    const file = await disk.openFile(`data/topics/${id}/topic.json`, "write");
    await file.write([Buffer.from("x")], 0);
    await file.close();
    broker = await Broker.open("data", { storage: disk });
    expect(broker.recovery.unreadable).toHaveLength(1);
    expect(await committed()).toBe("0:1");
    const { partitions } = await broker.describeGroup("g");
    expect(partitions).toMatchObject([{ committedOffset: 1, logEndOffset: 0, lag: 0, lagMs: 0 }]);
  });

  test("that were deleted while the groups were unavailable are dropped when the broker is reopened", async () => {
    await append(0, 1);
    await commit(undefined, 0, 1);
    await broker.close();
    for (const name of (await disk.list("data/topics"))!) await disk.removeDirectory(`data/topics/${name}`);
    broker = await Broker.open("data", { storage: disk });
    expect(await broker.fetchOffsets("g")).toEqual([]);
  });
});

describe("resets", () => {
  beforeEach(() => append(0, 10));

  test("set the requested offsets, within the bounds of the partition, durably", async () => {
    await append(1, 3);
    await broker.commitOffsets({
      group: "g",
      offsets: [
        { topic: "t", partition: 0, offset: 6 },
        { topic: "t", partition: 1, offset: 2 },
      ],
    });
    const to = async (to: Parameters<Broker["resetOffsets"]>[0]["to"]) => {
      const all = await broker.resetOffsets({ group: "g", to });
      expect(all.map(({ partition, offset }) => `${partition}:${offset}`).join(" ")).toBe(await committed());
      return committed();
    };
    expect(await to({ shiftBy: -2 })).toBe("0:4 1:0");
    expect(await to({ shiftBy: 5 })).toBe("0:9 1:3");
    expect(await to({ shiftBy: -100 })).toBe("0:0 1:0");
    expect(await to("latest")).toBe("0:10 1:3");
    expect(await to("earliest")).toBe("0:0 1:0");
    expect(await to(8)).toBe("0:8 1:3");
    expect(await to({ time: Date.now() + 60_000 })).toBe("0:10 1:3");
    expect(await to({ time: 0 })).toBe("0:0 1:0");
    await broker.deleteRecords("t", 0, 4);
    await broker.resetOffsets({ group: "g", partitions: [{ topic: "t", partition: 0 }], to: 1 });
    await reopen();
    expect(await committed()).toBe("0:4 1:0");
  });

  test("reach a running owner, and its earlier commits cannot undo them", async () => {
    const one = await join();
    await one.assigned();
    expect(await commit(one, 0, 9)).toEqual([{}]);
    const before = one.epoch;
    await broker.resetOffsets({ group: "g", partitions: [{ topic: "t", partition: 0 }], to: 2 });
    expect(await commit(one, 0, 10)).toMatchObject([{ error: { code: "FENCED_MEMBER" } }]);
    expect(await commit(one, 1, 0)).toEqual([{}]); // other partitions are not affected
    const reset = await one.next("offsetsReset");
    expect(reset.offsets).toMatchObject([{ topic: "t", partition: 0, offset: 2 }]);
    expect(reset.memberEpoch).toBeGreaterThan(before);
    expect((await one.next("assignment")).partitions[0]).toMatchObject({
      topic: "t",
      partition: 0,
      committedOffset: 2,
    });
    expect(await commit(one, 0, 3)).toEqual([{}]);
    expect(await committed()).toBe("0:3 1:0");
  });

  test("that the member has not requested yet are merged, and delivered before the last assignment", async () => {
    await append(1, 5);
    const one = await join();
    await one.assigned();
    const reset = (partition: number, to: number) =>
      broker.resetOffsets({ group: "g", partitions: [{ topic: "t", partition }], to });
    await reset(0, 2);
    await reset(1, 4);
    await reset(0, 7);
    await new Promise((resolve) => setImmediate(resolve)); // members get the event soon after the change is durable
    const { offsets, memberEpoch } = await one.next("offsetsReset");
    expect(offsets.map(({ partition, offset }) => `${partition}:${offset}`)).toEqual(["1:4", "0:7"]);
    expect((await one.next("assignment")).memberEpoch).toBe(memberEpoch);
  });

  test("reach a member that was disconnected", async () => {
    const one = await join();
    await one.assigned();
    await commit(one, 0, 9);
    const { memberId, epoch: memberEpoch } = one;
    await one.disconnect();
    await broker.resetOffsets({ group: "g", partitions: [{ topic: "t", partition: 0 }], to: 2 });
    const back = await TestMember.join(broker, { group: "g", topics: ["t"], memberId, memberEpoch });
    expect(back.epoch).toBe(memberEpoch); // it must not commit with the new epoch before it has received the reset
    expect((await back.next("offsetsReset")).offsets).toEqual([{ topic: "t", partition: 0, offset: 2 }]);
    expect(await back.assigned()).toBe("0 1 2 3");
  });

  test("reach a member that was disconnected even if it must revoke the partition now", async () => {
    await append(3, 5);
    const one = await join();
    await one.assigned();
    const { memberId, epoch: memberEpoch } = one;
    await one.disconnect();
    await broker.resetOffsets({ group: "g", partitions: [{ topic: "t", partition: 3 }], to: 1 });
    await (await join()).assigned();
    const back = await TestMember.join(broker, { group: "g", topics: ["t"], memberId, memberEpoch });
    expect((await back.next("offsetsReset")).offsets).toEqual([{ topic: "t", partition: 3, offset: 1 }]);
    expect(await back.assigned()).toBe("0 1 (2) (3)");
  });

  test("a member that is revoking a partition cannot commit it after a reset", async () => {
    await append(3, 5);
    const one = await join();
    await one.assigned();
    await (await join()).assigned();
    expect(await one.assigned()).toBe("0 1 (2) (3)");
    await broker.resetOffsets({ group: "g", partitions: [{ topic: "t", partition: 3 }], to: 1 });
    expect(await commit(one, 3, 5)).toMatchObject([{ error: { code: "FENCED_MEMBER" } }]);
    expect(await committed()).toBe("3:1");
  });

  test("require existing groups and topics, and valid positions", async () => {
    await expect(broker.resetOffsets({ group: "nobody", to: "earliest" })).rejects.toMatchObject({
      code: "UNKNOWN_GROUP",
    });
    await commit(undefined, 0, 6);
    const of = (topic: string, partition: number, to: number | { shiftBy: number }) =>
      broker.resetOffsets({
        group: "g",
        partitions: [
          { topic: "t", partition: 0 },
          { topic, partition },
        ],
        to,
      });
    await expect(of("none", 0, 0)).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    await expect(of("t", 4, 0)).rejects.toMatchObject({ code: "UNKNOWN_PARTITION" });
    await expect(of("t", 0, 0.5)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(of("t", 0, { shiftBy: 0.5 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await committed()).toBe("0:6");
  });
});

describe("description", () => {
  test("a group, its members, and its lag in records and in time", async () => {
    disk.time = 1_700_000_000_000;
    await append(0, 3);
    disk.time += 1000;
    await append(0, 2);
    await append(2, 1);
    disk.time += 500;
    const one = await TestMember.join(broker, { group: "g", topics: ["t"], clientId: "host-1", instanceId: "i" });
    await one.assigned();
    await commit(one, 0, 3, "three");
    const described = await broker.describeGroup("g");
    const { memberId, epoch: memberEpoch } = one;
    const assigned = [0, 1, 2, 3].map((partition) => ({ topic: "t", partition }));
    expect(described).toMatchObject({ group: "g", state: "stable", groupEpoch: memberEpoch, assignor: "sticky" });
    const names = { memberId, memberEpoch, clientId: "host-1", instanceId: "i" };
    expect(described.members).toEqual([{ ...names, topics: ["t"], assigned, revoking: [], connected: true }]);
    expect(described.partitions).toMatchObject([
      { partition: 0, memberId, committedOffset: 3, metadata: "three", logEndOffset: 5, lag: 2, lagMs: 500 },
      { partition: 1, memberId, committedOffset: undefined, committedAt: undefined, logEndOffset: 0, lag: 0, lagMs: 0 },
      { partition: 2, logEndOffset: 1, lag: 1, lagMs: 500 },
      { partition: 3 },
    ]);
    await commit(one, 0, 5);
    expect((await broker.describeGroup("g")).partitions[0]).toMatchObject({ lag: 0, lagMs: 0 });
  });

  test("lag of records that are no longer in memory, and of deleted records", async () => {
    await broker.close();
    disk.time = 1_700_000_000_000;
    broker = await Broker.open("data", { storage: disk, tailCacheBytes: 0, segmentBytes: 200 });
    for (let i = 0; i < 12; i++) {
      disk.time += 100;
      await append(0, 1);
    }
    await commit(undefined, 0, 5);
    expect((await broker.describeGroup("g")).partitions).toMatchObject([{ lag: 7, lagMs: 600 }]);
    await broker.deleteRecords("t", 0, 9);
    expect((await broker.describeGroup("g")).partitions).toMatchObject([{ lag: 3, lagMs: 200 }]);
  });

  test("states: empty, rebalancing, stable", async () => {
    const one = await join();
    await one.assigned();
    const state = async () => (await broker.listGroups())[0];
    expect(await state()).toEqual({ group: "g", state: "stable", memberCount: 1 });
    const two = await join();
    expect(await state()).toEqual({ group: "g", state: "rebalancing", memberCount: 2 });
    await one.gives();
    expect(await two.assigned()).toBe("");
    expect(await two.assigned()).toBe("2 3");
    expect(await state()).toEqual({ group: "g", state: "stable", memberCount: 2 });
    await Promise.all([one.membership.leave(), two.membership.leave()]);
    expect(await state()).toEqual({ group: "g", state: "empty", memberCount: 0 });
    expect([await one.end(), await two.end()]).toEqual([undefined, undefined]);
  });

  test("a group can be deleted only if it has no members, and the deletion is durable", async () => {
    const one = await join();
    await expect(broker.deleteGroup("g")).rejects.toMatchObject({ code: "GROUP_NOT_EMPTY", group: "g" });
    await one.membership.leave();
    await broker.deleteGroup("g");
    await expect(broker.deleteGroup("g")).rejects.toMatchObject({ code: "UNKNOWN_GROUP", group: "g" });
    await reopen();
    await expect(broker.describeGroup("g")).rejects.toMatchObject({ code: "UNKNOWN_GROUP" });
  });
});

describe("members", () => {
  test("invalid requests are refused when the membership begins", async () => {
    const wrong = [
      { group: "a/b" },
      { topics: ["t/u"] },
      { topics: Array.from({ length: 1001 }, (_, i) => `t${i}`) },
      { sessionTimeoutMs: 99 },
      { revokeTimeoutMs: 1.5 },
      { clientId: "x".repeat(250) },
      { instanceId: "" },
      { assignor: "toString" as never },
    ];
    for (const each of wrong) {
      const joining = TestMember.join(broker, { group: "g", topics: ["t"], ...each });
      await expect(joining).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(await broker.listGroups()).toEqual([]);
  });

  test("a group has at most a thousand members", async () => {
    const joining = Array.from({ length: 1000 }, (_, i) =>
      TestMember.join(broker, { group: "g", topics: ["t"], instanceId: `i${i}` }),
    );
    await Promise.all(joining);
    await expect(join()).rejects.toMatchObject({ code: "QUOTA_EXCEEDED", expected: 1000 });
    await TestMember.join(broker, { group: "g", topics: ["t"], instanceId: "i7" }); // the static member exists already
  });

  test("closing the broker ends their events, and they resume when it is reopened", async () => {
    const one = await join();
    await one.assigned();
    await reopen();
    expect(await one.end()).toMatchObject({ code: "CLOSED" });
    const { memberId, epoch: memberEpoch } = one;
    const back = await TestMember.join(broker, { group: "g", topics: ["t"], memberId, memberEpoch });
    expect(await back.assigned()).toBe("0 1 2 3");
  });

  test("ending the iteration ends a pending next", async () => {
    const membership = broker.joinGroup({ group: "g", topics: ["t"] });
    const events = membership[Symbol.asyncIterator]();
    await events.next();
    await events.next();
    const waiting: Promise<IteratorResult<MemberEvent>> = events.next();
    await events.return!();
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect((await broker.describeGroup("g")).members).toMatchObject([{ connected: false }]);
    await membership.leave(); // this ends the same membership
    expect((await broker.describeGroup("g")).members).toEqual([]);
  });
});

test("damaged groups are reported, and topics are served", async () => {
  await append(0, 1);
  await commit(undefined, 0, 1);
  await broker.close();
  await disk.remove("data/groups/store.json");
  broker = await Broker.open("data", { storage: disk });
  expect(broker.recovery.groups).toMatchObject({ code: "STORAGE_FAILED", file: "groups/store.json" });
  await expect(broker.listGroups()).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  await expect(commit(undefined, 0, 1)).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  await expect(join()).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  await append(0, 1);
  await broker.deleteTopic("t");
});

describe("many", () => {
  test("a hundred members, a thousand joins and leaves", { timeout: 60_000 }, async () => {
    await broker.createTopic({ topic: "big", partitions: 500 });
    const members: TestMember[] = [];
    const come = async () => {
      const member = await TestMember.join(broker, { group: "g", topics: ["big"] });
      members.push(member);
      void obey(member);
    };
    await Promise.all(Array.from({ length: 100 }, come));
    for (let i = 0; i < 500; i++) {
      const [member] = members.splice((i * 37) % members.length, 1);
      await Promise.all([member!.membership.leave(), come()]);
    }
    await expect.poll(async () => (await broker.listGroups())[0]!.state, { timeout: 20_000 }).toBe("stable");
    const described = await broker.describeGroup("g");
    expect(described.members.map(({ assigned }) => assigned.length)).toEqual(new Array(100).fill(5));
  });

  test("five thousand groups, listed and described", { timeout: 60_000 }, async () => {
    await append(0, 1);
    const offsets = [{ topic: "t", partition: 0, offset: 1 }];
    const names = Array.from({ length: 5000 }, (_, i) => `g${String(i).padStart(4, "0")}`);
    await Promise.all(names.map((group) => broker.commitOffsets({ group, offsets })));
    await reopen();
    expect((await broker.listGroups()).map(({ group }) => group)).toEqual(names);
    for (const group of names) {
      const [partition] = (await broker.describeGroup(group)).partitions;
      if (partition?.committedOffset !== 1 || partition.lag !== 0) expect.fail(group);
    }
  });
});

/** Revokes every partition that the member is asked to revoke. */
async function obey(member: TestMember): Promise<void> {
  try {
    for (;;) await member.gives();
  } catch {
    // the member has left
  }
}

test("groups in memory", async () => {
  const inMemory = await Broker.open(":memory:", { storage: new MemoryStorage() });
  await inMemory.createTopic({ topic: "t", partitions: 1 });
  const member = await TestMember.join(inMemory, { group: "g", topics: ["t"] });
  expect(await member.assigned()).toBe("0");
  await inMemory.close();
});
