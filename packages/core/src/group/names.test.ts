/** Names of properties that every object has are valid names. */
import { describe, expect, test } from "vitest";
import { groupsOn } from "../../test/file-groups.js";
import { TestMember } from "../../test/group-member.js";
import { Broker, MemoryStorage } from "../index.js";
import { SimulatedDisk } from "../testing/index.js";
import { GroupLog } from "./journal/group-log.js";

const names = Object.getOwnPropertyNames(Object.prototype);

test("as topic, group, member, instance, client, metadata: all are restored after a restart", async () => {
  const storage = new MemoryStorage();
  let broker = await Broker.open("data", { storage });
  for (const topic of names) await broker.createTopic({ topic, partitions: 2 });
  const offsets = names.map((topic) => ({ topic, partition: 1, offset: 0, metadata: topic }));
  for (const name of names) {
    const request = { group: name, topics: names, memberId: name, instanceId: name, clientId: name };
    const member = await TestMember.join(broker, request);
    await member.next("assignment");
    const commit = { group: name, memberId: name, memberEpoch: member.epoch, offsets };
    expect(await broker.commitOffsets(commit)).toEqual(names.map(() => ({})));
    expect(await broker.resetOffsets({ group: name, partitions: offsets, to: "earliest" })).toHaveLength(names.length);
    await member.disconnect();
  }
  await broker.close();
  broker = await Broker.open("data", { storage });
  expect(broker.recovery.groups).toBeUndefined();
  for (const name of names) {
    const committed = await broker.fetchOffsets(name);
    expect(committed.map(({ topic }) => topic).sort()).toEqual([...names].sort());
    const { members, partitions } = await broker.describeGroup(name);
    expect(members).toMatchObject([{ memberId: name, instanceId: name, clientId: name, topics: [...names].sort() }]);
    expect(partitions).toHaveLength(2 * names.length);
  }
  for (const topic of names) await broker.deleteTopic(topic);
  for (const name of names) expect(await broker.fetchOffsets(name)).toEqual([]);
  await broker.close();
});

describe("encoding", () => {
  test("in a snapshot", async () => {
    const disk = new SimulatedDisk();
    await disk.makeDirectory("data");
    const options = { snapshotBytes: 500 };
    const small = { segmentBytes: 300 };
    const log = await GroupLog.open(groupsOn(disk, small), options);
    for (const name of names) {
      const holdings = new Map(names.map((topic) => [topic, new Map([[0, { since: 1, revokedAt: undefined }]])]));
      const member = { memberId: name, epoch: 1, instanceId: name, clientId: name, topics: names };
      const whole = { ...member, sessionTimeoutMs: 1000, revokeTimeoutMs: 1000, holdings };
      const commits = names.map((topic) => ({ topic, partition: 0, offset: 1, metadata: name }));
      await log.append([{ group: name, at: 1, owner: name, epoch: 1, members: [whole], commits }]);
    }
    await log.close();
    expect(disk.paths()).toContain("data/groups/snapshot");
    const { groups } = await GroupLog.open(groupsOn(disk.copy(), small), options);
    expect(groups).toEqual(log.groups);
    expect([...groups.keys()].sort()).toEqual([...names].sort());
  });
});

test("a change that cannot be encoded is refused on its own, and the groups stay available", async () => {
  const broker = await Broker.open(":memory:");
  await broker.createTopic({ topic: "t", partitions: 1 });
  const poison = { toJSON: () => expect.fail("it cannot be written down") } as unknown as string;
  const offsets = [{ topic: "t", partition: 0, offset: 0, metadata: poison }];
  await expect(broker.commitOffsets({ group: "g", offsets })).rejects.toThrow();
  const clientId = Object.assign(Object("x"), { toJSON: () => expect.fail("nor this") }) as string;
  await expect(TestMember.join(broker, { group: "g", topics: ["t"], clientId })).rejects.toThrow();
  const member = await TestMember.join(broker, { group: "g", topics: ["t"] });
  expect(await member.assigned()).toBe("0");
  expect((await broker.describeGroup("g")).members).toHaveLength(1);
  await broker.close();
});
