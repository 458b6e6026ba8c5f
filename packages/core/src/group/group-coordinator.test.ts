/**
 * The coordinator in virtual time. Its behaviour through a broker is tested in
 * broker/groups.test.ts.
 */
import type { JoinGroupRequest } from "@logstore/protocol";
import { describe, expect, test } from "vitest";
import { groupsOn } from "../../test/file-groups.js";
import { TestMember } from "../../test/group-member.js";
import { Process } from "../../test/group-simulation/process.js";
import { World } from "../../test/group-simulation/world.js";
import { MemoryStorage, type Storage } from "../index.js";
import { Random, SimulatedDisk } from "../testing/index.js";
import { GroupCoordinator } from "./group-coordinator.js";
import type { GroupTopics } from "./state/group-topics.js";
import type { Clock } from "./time/clock.js";

const DAY_MS = 24 * 3_600_000;

/** A coordinator, its clock, and a topic "t" of four partitions with a hundred records each. */
class Place {
  readonly world = new World(new Random(1));
  readonly process = new Process(this.world);
  readonly ends = new Map([["t", 100]]);
  storage: Storage;
  coordinator!: GroupCoordinator;

  constructor(storage: Storage = new MemoryStorage()) {
    this.storage = storage;
  }

  static async open(storage?: Storage): Promise<Place> {
    const place = new Place(storage);
    await place.reopen();
    return place;
  }

  async reopen(): Promise<void> {
    const { world, process } = this;
    const clock: Clock = {
      monotonic: () => world.now,
      after: (ms, callback) => world.after(ms, () => process.do(callback)),
      soon: (callback) => void world.after(0, () => process.do(callback)),
      slice: () => () => false,
    };
    await this.storage.makeDirectory("data");
    this.coordinator = await GroupCoordinator.open(groupsOn(this.storage), this.#topics(), { clock });
  }

  /** Advances the time in steps, after each of which pending work runs. */
  async pass(ms: number, each = () => {}): Promise<void> {
    const until = this.world.now + ms;
    while (this.world.now < until) {
      each();
      await this.world.run(Math.min(until, this.world.now + 100));
    }
  }

  async within<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    work.then(
      () => {
        isDone = true;
      },
      () => {
        isDone = true;
      },
    );
    for (let i = 0; i < 100 && !isDone; i++) await this.world.run(this.world.now);
    return work;
  }

  join(request: Partial<JoinGroupRequest> = {}): Promise<TestMember> {
    const whole = { group: "g", topics: ["t"], sessionTimeoutMs: 10_000, revokeTimeoutMs: 5000, ...request };
    return this.within(TestMember.join(this.coordinator, whole));
  }

  commit(member: TestMember, offset: number) {
    const { memberId, epoch: memberEpoch } = member;
    const offsets = [{ topic: "t", partition: 0, offset }];
    return this.within(this.coordinator.commitOffsets({ group: "g", memberId, memberEpoch, offsets }));
  }

  #topics(): GroupTopics {
    const end = (topic: string) => this.ends.get(topic) ?? 0;
    return {
      refresh: () => undefined,
      counts: () => new Map([...this.ends.keys()].map((topic) => [topic, 4])),
      id: (topic) => (this.ends.has(topic) ? `id-of-${topic}` : undefined),
      mayExist: (topic) => this.ends.has(topic),
      isDamaged: () => false,
      bounds: (topic) => ({ logStart: 0, highWatermark: end(topic), logEnd: end(topic) }),
      resolve: async (_topic, _partition, position) => position as number,
      lag: async () => ({ logEndOffset: 0, lag: 0, lagMs: 0 }),
    };
  }
}

describe("sessions", () => {
  test("a silent member is removed although its stream is open; its partitions go to the others", async () => {
    const place = await Place.open();
    const silent = await place.join();
    expect(await silent.assigned()).toBe("0 1 2 3");
    const other = await place.join();
    expect(await silent.gives()).toBe("0 1 (2) (3)");
    expect(await other.assigned()).toBe("");
    await place.pass(9900, () => other.membership.heartbeat());
    expect(await other.assigned()).toBe("2 3");
    await place.pass(300, () => other.membership.heartbeat());
    expect(await other.assigned()).toBe("0 1 2 3");
    expect(await silent.end()).toMatchObject({
      code: "FENCED_MEMBER",
      group: "g",
      message: expect.stringMatching(/10000 ms/),
    });
    expect((await place.commit(silent, 1))[0]!.error).toMatchObject({ code: "FENCED_MEMBER" });
  });

  test("a member that revokes too late is removed", async () => {
    const place = await Place.open();
    const slow = await place.join();
    const other = await place.join();
    await place.pass(4900, () => slow.membership.heartbeat());
    expect((await place.coordinator.describeGroup("g")).state).toBe("rebalancing");
    await place.pass(300, () => {
      slow.membership.heartbeat();
      other.membership.heartbeat();
    });
    expect(await slow.end()).toMatchObject({
      code: "FENCED_MEMBER",
      message: expect.stringMatching(/give up.*5000 ms/),
    });
    expect((await place.coordinator.describeGroup("g")).members).toHaveLength(1);
  });

  test("the revocation timeout of several partitions starts with the first one", async () => {
    const place = await Place.open();
    const slow = await place.join();
    await slow.assigned();
    const other = await place.join();
    await other.assigned();
    const { revoking } = await slow.next("assignment");
    const both = () => {
      slow.membership.heartbeat();
      other.membership.heartbeat();
    };
    await place.pass(4000, both);
    slow.membership.revoked(slow.epoch, revoking.slice(1));
    await place.pass(1200, both);
    expect(await slow.end()).toMatchObject({ code: "FENCED_MEMBER" });
  });

  test("a member that rejoins in time resumes, and no other member is affected", async () => {
    const place = await Place.open();
    const member = await place.join();
    expect(await member.assigned()).toBe("0 1 2 3");
    await member.disconnect();
    const { groupEpoch, members } = await place.coordinator.describeGroup("g");
    expect(members[0]).toMatchObject({ connected: false, assigned: { length: 4 } });
    await place.pass(9000);
    const { memberId, epoch: memberEpoch } = member;
    const back = await place.join({ memberId, memberEpoch });
    expect([back.memberId, await back.assigned()]).toEqual([memberId, "0 1 2 3"]);
    await place.pass(9000);
    expect(await place.coordinator.describeGroup("g")).toMatchObject({
      groupEpoch,
      members: [{ memberId, connected: true }],
    });
  });

  test("a member that rejoins too late, without an id, or with an outdated epoch, starts anew", async () => {
    const place = await Place.open();
    const member = await place.join();
    await member.assigned();
    await member.disconnect();
    const { memberId, epoch: memberEpoch } = member;
    await expect(place.join({ memberId: "nobody", memberEpoch })).rejects.toMatchObject({ code: "FENCED_MEMBER" });
    await expect(place.join({ memberId, memberEpoch: memberEpoch + 1 })).rejects.toMatchObject({
      code: "FENCED_MEMBER",
    });
    const other = await place.join();
    const back = await place.join({ memberId, memberEpoch });
    expect(await back.gives()).toBe("0 1 (2) (3)");
    await place.pass(100);
    expect(await other.assigned()).toBe("2 3");
    await back.disconnect();
    // It has used a newer epoch before.
    await expect(place.join({ memberId, memberEpoch })).rejects.toMatchObject({ code: "FENCED_MEMBER" });
    await place.pass(10_100, () => other.membership.heartbeat());
    await expect(place.join({ memberId, memberEpoch: back.epoch })).rejects.toMatchObject({ code: "FENCED_MEMBER" });
  });

  test("a newer membership replaces the older one, which ends without an error", async () => {
    const place = await Place.open();
    const member = await place.join();
    await member.assigned();
    const { memberId, epoch: memberEpoch } = member;
    const newer = await place.join({ memberId, memberEpoch });
    expect(await member.end()).toBeUndefined();
    expect(await newer.assigned()).toBe("0 1 2 3");
    member.membership.heartbeat(); // nobody listens
    await member.membership.leave();
    expect((await place.coordinator.describeGroup("g")).members).toHaveLength(1);
  });

  test("a revocation is requested again if its confirmation was lost", async () => {
    const place = await Place.open();
    const member = await place.join();
    await member.assigned();
    const other = await place.join();
    await other.assigned();
    expect(await member.assigned()).toBe("0 1 (2) (3)");
    await member.disconnect(); // with the confirmation in flight
    const { memberId, epoch: memberEpoch } = member;
    const back = await place.join({ memberId, memberEpoch });
    expect(await back.gives()).toBe("0 1 (2) (3)");
    await place.pass(100);
    expect(await other.assigned()).toBe("2 3");
  });

  test("a coordinator that was itself stopped does not count that time as silence", async () => {
    const place = await Place.open();
    const member = await place.join();
    await place.pass(1000);
    place.process.stop(3_600_000);
    await place.pass(3_600_000);
    await place.pass(7500);
    expect((await place.coordinator.describeGroup("g")).members).toHaveLength(1);
    member.membership.heartbeat();
    await place.pass(9900);
    expect((await place.coordinator.describeGroup("g")).members).toHaveLength(1);
    await place.pass(1500);
    expect((await place.coordinator.describeGroup("g")).members).toHaveLength(0);
  });

  test("jumps of the wall clock have no effect", async () => {
    const disk = new SimulatedDisk();
    const place = await Place.open(disk);
    await place.within(
      place.coordinator.commitOffsets({ group: "idle", offsets: [{ topic: "t", partition: 0, offset: 1 }] }),
    );
    const member = await place.join();
    disk.time += 1000 * DAY_MS;
    await place.pass(120_000, () => member.membership.heartbeat());
    expect(await place.coordinator.listGroups()).toEqual([
      { group: "g", state: "stable", memberCount: 1 },
      { group: "idle", state: "empty", memberCount: 0 },
    ]);
  });
});

describe("repeated joins", () => {
  const join = { memberId: "c6f3c1b0-6a5c-4d3e-8a6e-7a3f1f0d9a11", memberEpoch: 0 };

  test("the client's id becomes the member's id", async () => {
    const place = await Place.open();
    const member = await place.join(join);
    expect([member.memberId, await member.assigned()]).toEqual([join.memberId, "0 1 2 3"]);
    expect((await place.commit(member, 1))[0]!.error).toBeUndefined();
  });

  test("a coordinator that stops before the client received the response leaves no ghost member", async () => {
    const place = await Place.open();
    const unheard = place.coordinator.joinGroup({ group: "g", topics: ["t"], ...join });
    void unheard[Symbol.asyncIterator]().next();
    await place.pass(100);
    expect((await place.coordinator.describeGroup("g")).members).toHaveLength(1);
    await place.within(place.coordinator.close());
    await place.reopen();
    const member = await place.join(join);
    expect(await member.assigned()).toBe("0 1 2 3");
    expect((await place.coordinator.describeGroup("g")).members).toMatchObject([{ memberId: join.memberId }]);
  });

  test("a second join in the same turn resumes the first", async () => {
    const place = await Place.open();
    const first = TestMember.join(place.coordinator, { group: "g", topics: ["other"], ...join });
    first.catch(() => {});
    const second = await place.join({ ...join, instanceId: "i" });
    expect(await second.assigned()).toBe("0 1 2 3");
    await expect(place.within(first)).rejects.toThrow("undefined came");
    expect((await place.coordinator.describeGroup("g")).members).toHaveLength(1);
  });

  test("a late one does not take over the member from a client with a newer epoch", async () => {
    const place = await Place.open();
    const member = await place.join(join);
    await member.assigned();
    await place.commit(member, 1);
    await expect(place.join(join)).rejects.toMatchObject({ code: "FENCED_MEMBER" });
    expect((await place.commit(member, 2))[0]!.error).toBeUndefined();
  });

  test("the same id in two groups makes two members", async () => {
    const place = await Place.open();
    const one = await place.join(join);
    const other = await place.join({ ...join, group: "h" });
    await place.within(one.membership.leave());
    expect(await other.assigned()).toBe("0 1 2 3");
    expect((await place.coordinator.describeGroup("h")).members).toMatchObject([{ connected: true }]);
    expect((await place.coordinator.describeGroup("g")).members).toEqual([]);
  });

  test.each(["", "a/b", "x".repeat(250), "a b"])("%j is not a valid member id", async (memberId) => {
    const place = await Place.open();
    await expect(place.join({ memberId, memberEpoch: 0 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("a static member", () => {
  test("gets its partitions back at once when it rejoins, and the old one is fenced", async () => {
    const place = await Place.open();
    const old = await place.join({ instanceId: "one" });
    await old.assigned();
    const other = await place.join({ instanceId: "two" });
    await old.gives();
    await place.pass(100);
    const { groupEpoch } = await place.coordinator.describeGroup("g");
    await old.disconnect();
    await place.pass(8000, () => other.membership.heartbeat());
    const back = await place.join({ instanceId: "one" });
    expect(back.memberId).not.toBe(old.memberId);
    expect(await back.assigned()).toBe("0 1");
    expect(await place.coordinator.describeGroup("g")).toMatchObject({ groupEpoch: groupEpoch + 1, state: "stable" });
    expect((await place.commit(old, 1))[0]!.error).toMatchObject({ code: "FENCED_MEMBER" });
    expect((await place.commit(back, 1))[0]!.error).toBeUndefined();
  });

  test("fences the earlier member with its instance id", async () => {
    const place = await Place.open();
    const old = await place.join({ instanceId: "one" });
    await place.join({ instanceId: "one" });
    expect(await old.end()).toMatchObject({ code: "FENCED_MEMBER", message: expect.stringMatching(/instance id/) });
  });

  test("is removed like any other if it does not rejoin", async () => {
    const place = await Place.open();
    await (await place.join({ instanceId: "one" })).disconnect();
    await place.pass(10_100);
    expect((await place.coordinator.describeGroup("g")).members).toEqual([]);
  });
});

describe("after a crash", () => {
  test("members resume, zombies do not, and every member has its session timeout to rejoin", async () => {
    const disk = new SimulatedDisk();
    const place = await Place.open(disk);
    const member = await place.join();
    await member.assigned();
    const zombie = await place.join();
    await place.within(zombie.membership.leave());
    await member.gives();
    await place.pass(100);
    expect(await member.assigned()).toBe("0 1 2 3");
    expect((await place.commit(member, 5))[0]!.error).toBeUndefined();
    place.storage = disk.powerCut("drop-all");
    await place.pass(60_000);
    await place.reopen();
    expect(await place.coordinator.listGroups()).toMatchObject([{ state: "stable", memberCount: 1 }]);
    await place.pass(9000);
    expect((await place.commit(zombie, 9))[0]!.error).toMatchObject({ code: "FENCED_MEMBER" });
    expect((await place.commit(member, 6))[0]!.error).toBeUndefined();
    const { memberId, epoch: memberEpoch } = member;
    const back = await place.join({ memberId, memberEpoch });
    expect((await back.next("assignment")).partitions).toMatchObject([{ committedOffset: 6 }, {}, {}, {}]);
    await back.disconnect();
    await place.pass(11_000);
    expect((await place.coordinator.describeGroup("g")).members).toEqual([]);
  });

  test("a topic that was created in the meantime is assigned", async () => {
    const disk = new SimulatedDisk();
    const place = await Place.open(disk);
    const member = await place.join({ topics: ["*"] });
    await member.assigned();
    place.storage = disk.powerCut("drop-all");
    place.ends.set("u", 0);
    await place.reopen();
    const { memberId, epoch: memberEpoch } = member;
    const back = await place.join({ topics: ["*"], memberId, memberEpoch });
    expect((await back.next("assignment")).partitions).toHaveLength(8);
  });

  test("committed offsets beyond a log that lost its end are moved back", async () => {
    const disk = new SimulatedDisk();
    const place = await Place.open(disk);
    const member = await place.join();
    await member.assigned();
    await place.commit(member, 90);
    place.storage = disk.powerCut("drop-all");
    place.ends.set("t", 70);
    await place.reopen();
    expect(await place.coordinator.fetchOffsets("g")).toMatchObject([{ offset: 70 }]);
    place.ends.set("t", 95);
    expect((await place.commit(member, 92))[0]!.error).toMatchObject({ code: "FENCED_MEMBER" });
  });
});

test("members are told nothing before it is durable", async () => {
  const disk = new SimulatedDisk();
  const place = await Place.open(disk);
  await place.join();
  let release = () => {};
  disk.onMutation = (call) => (call.kind === "sync" ? new Promise<void>((resolve) => (release = resolve)) : undefined);
  let isTold = false;
  const joining = TestMember.join(place.coordinator, { group: "g", topics: ["t"] }).then(() => {
    isTold = true;
  });
  await place.pass(1000);
  expect(isTold).toBe(false);
  disk.onMutation = undefined;
  release();
  await place.within(joining);
});

test("after a disk failure all members are told, and groups are unavailable until a reopen", async () => {
  const disk = new SimulatedDisk();
  const place = await Place.open(disk);
  const member = await place.join();
  disk.failAt(1, "EIO");
  await expect(place.commit(member, 1)).rejects.toMatchObject({
    code: "STORAGE_FAILED",
    file: expect.stringMatching(/^groups/),
  });
  expect(await member.end()).toMatchObject({ code: "STORAGE_FAILED" });
  await expect(place.coordinator.listGroups()).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  await expect(place.join()).rejects.toMatchObject({ code: "STORAGE_FAILED" });
});

test("a group without members expires after a week, and not before", async () => {
  const place = await Place.open();
  await place.within(
    place.coordinator.commitOffsets({ group: "idle", offsets: [{ topic: "t", partition: 0, offset: 1 }] }),
  );
  const member = await place.join();
  await place.within(member.membership.leave());
  await place.world.run(place.world.now + 4 * DAY_MS);
  await place.within(
    place.coordinator.commitOffsets({ group: "idle", offsets: [{ topic: "t", partition: 0, offset: 2 }] }),
  );
  await place.world.run(place.world.now + 2 * DAY_MS);
  expect((await place.coordinator.listGroups()).map(({ group }) => group)).toEqual(["g", "idle"]);
  await place.world.run(place.world.now + 2 * DAY_MS);
  expect((await place.coordinator.listGroups()).map(({ group }) => group)).toEqual(["idle"]);
});
