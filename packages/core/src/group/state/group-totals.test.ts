import { describe, expect, test } from "vitest";
import { TestMember } from "../../../test/group-member.js";
import { Broker, type BrokerOptions, MemoryStorage } from "../../index.js";

async function open(options: BrokerOptions): Promise<Broker> {
  const broker = await Broker.open("data", { storage: new MemoryStorage(), ...options });
  if ((await broker.listTopics()).length === 0) await broker.createTopic({ topic: "t", partitions: 300 });
  return broker;
}

const exceeded = (expected: number) => expect.objectContaining({ code: "GROUP_LIMIT_EXCEEDED", expected });
const join = (broker: Broker, group: string, topics = ["t"]) => TestMember.join(broker, { group, topics });
const commit = (broker: Broker, group: string, metadata = "", count = 1, principal?: string) => {
  const offsets = Array.from({ length: count }, (_, partition) => ({ topic: "t", partition, offset: 0, metadata }));
  return broker.commitOffsets({ group, offsets }, { principal });
};

describe("limits of all groups together", () => {
  test("groups, including those that only have commits", async () => {
    const broker = await open({ groupLimits: { maxGroups: 2 } });
    const member = await join(broker, "a");
    await commit(broker, "b");
    await expect(join(broker, "c")).rejects.toThrow(exceeded(2));
    await expect(commit(broker, "c")).rejects.toThrow(exceeded(2));
    await member.membership.leave();
    await broker.deleteGroup("a");
    await join(broker, "c");
    await broker.close();
  });

  test("members that join concurrently", async () => {
    const broker = await open({ groupLimits: { maxMembers: 3 } });
    const joins = Array.from({ length: 6 }, (_, i) => join(broker, `g${i % 2}`));
    const results = await Promise.allSettled(joins);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(refused).toEqual([exceeded(3), exceeded(3), exceeded(3)]);
    await broker.close();
  });

  test("subscriptions; a member that exceeds the limit keeps its previous ones", async () => {
    const broker = await open({ groupLimits: { maxSubscriptions: 3 } });
    const member = await join(broker, "g", ["t", "u"]);
    await expect(join(broker, "g", ["a", "b"])).rejects.toThrow(exceeded(3));
    expect(() => member.membership.subscribe(["t", "u", "v", "w"])).toThrow(exceeded(3));
    member.membership.subscribe(["t"]);
    await join(broker, "g", ["a"]);
    await broker.close();
  });

  test("partitions owned: a member that would exceed the limit is refused, the others continue", async () => {
    const broker = await open({ groupLimits: { maxAssignments: 500 } });
    const first = await join(broker, "a");
    await expect(join(broker, "b")).rejects.toThrow(exceeded(500));
    const second = await join(broker, "a"); // they share the partitions
    const other = await join(broker, "b", ["u"]);
    await broker.createTopic({ topic: "u", partitions: 200 });
    other.membership.subscribe(["t", "u"]);
    expect(await other.end()).toEqual(exceeded(500));
    await first.membership.leave();
    await second.membership.leave();
    await join(broker, "c");
    await broker.close();
  });

  test("bytes of commits: existing ones continue", async () => {
    const broker = await open({ groupLimits: { maxCommitBytes: 10_000 } });
    await commit(broker, "g", "x".repeat(4096), 2);
    await expect(commit(broker, "h", "x".repeat(4096), 1)).rejects.toThrow(exceeded(10_000));
    await expect(commit(broker, "g", "x".repeat(4096), 3)).rejects.toThrow(exceeded(10_000));
    await expect(broker.resetOffsets({ group: "g", partitions: many(100), to: 0 })).rejects.toThrow(exceeded(10_000));
    expect(await commit(broker, "g", "y".repeat(4096), 2)).toEqual([{}, {}]);
    await broker.deleteTopic("t");
    await broker.createTopic({ topic: "t", partitions: 300 });
    expect(await commit(broker, "h", "x".repeat(4096), 2)).toEqual([{}, {}]);
    await broker.close();
  });

  test("each partition of a long request that exceeds the limit half-way has its own result", async () => {
    const broker = await open({ groupLimits: { maxCommitBytes: 200_000 } });
    await broker.createTopic({ topic: "long", partitions: 2500 });
    const offsets = Array.from({ length: 2500 }, (_, partition) => ({ topic: "long", partition, offset: 0 }));
    const results = await broker.commitOffsets({ group: "g", offsets });
    const taken = results.filter(({ error }) => error === undefined).length;
    expect(taken).toBeGreaterThan(0);
    expect(results.slice(0, taken)).toEqual(Array.from({ length: taken }, () => ({})));
    expect(results[taken]).toMatchObject({ error: { code: "GROUP_LIMIT_EXCEEDED", partition: taken } });
    expect(await broker.fetchOffsets("g")).toHaveLength(taken);
    await broker.close();
  });

  test("a megabyte of metadata is refused, in one commit and in many", async () => {
    const broker = await open({ groupLimits: { maxCommitBytes: 512 * 1024 } });
    await expect(commit(broker, "g", "x".repeat(1024 * 1024))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      expected: 4096,
    });
    await expect(commit(broker, "g", "x".repeat(4096), 256)).rejects.toThrow(exceeded(512 * 1024));
    await broker.close();
  });

  test("limits are integers", async () => {
    await expect(open({ groupLimits: { maxGroups: -1 } })).rejects.toThrow("groupLimits.maxGroups is a whole number");
    await expect(open({ groupLimitsPerPrincipal: { maxCommitBytes: Number.NaN } })).rejects.toThrow(
      "groupLimitsPerPrincipal.maxCommitBytes is a whole number",
    );
  });
});

describe("limits of the groups of one principal", () => {
  test("they do not affect other principals, and apply after a restart", async () => {
    const storage = new MemoryStorage();
    const options = { storage, groupLimitsPerPrincipal: { maxGroups: 1, maxMembers: 1, maxCommitBytes: 300 } };
    let broker = await open(options);
    await commit(broker, "of-ada", "", 2, "ada");
    await expect(commit(broker, "more", "", 1, "ada")).rejects.toThrow(exceeded(1));
    await broker.close();
    broker = await open(options);
    await expect(commit(broker, "more", "", 1, "ada")).rejects.toThrow(exceeded(1));
    await expect(commit(broker, "of-ada", "", 3, "bob")).rejects.toThrow(exceeded(300)); // ada owns the group
    await commit(broker, "of-bob", "", 2, "bob");
    await commit(broker, "of-nobody", "", 300);
    await broker.deleteGroup("of-ada");
    await commit(broker, "more", "", 1, "ada");
    await broker.close();
  });
});

test("state above a lowered limit can be opened, and may shrink", async () => {
  const storage = new MemoryStorage();
  let broker = await open({ storage });
  for (let i = 0; i < 40; i++) await commit(broker, `g${i}`, "x".repeat(4096), 300);
  await broker.close();
  broker = await open({ storage, groupLimits: { maxGroups: 3, maxCommitBytes: 1000 } });
  expect(broker.recovery.groups).toBeUndefined();
  expect(await broker.listGroups()).toHaveLength(40);
  expect(await broker.fetchOffsets("g39")).toHaveLength(300);
  await expect(commit(broker, "new")).rejects.toThrow(exceeded(3));
  expect(await commit(broker, "g0", "", 300)).toHaveLength(300);
  await broker.deleteGroup("g1");
  await broker.close();
});

function many(count: number) {
  return Array.from({ length: count }, (_, partition) => ({ topic: "t", partition }));
}
