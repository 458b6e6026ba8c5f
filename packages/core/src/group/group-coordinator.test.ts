/**
 * The coordinator in virtual time. What everybody sees of it through a broker is in
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

  /** Lets time pass, in steps in which everybody has their turn. */
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
  test("who is silent is out, though its stream is open; its partitions go to the others", async () => {
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

  test("who is late to give up is out", async () => {
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

  test("who gives up one thing after another has no more time for all of them", async () => {
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

  test("who comes back in time goes on where it was, and nobody else is bothered", async () => {
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

  test("who comes back too late, as nobody, or with an epoch that it is beyond, starts anew", async () => {
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
    // It has shown to know more than that: this one is older.
    await expect(place.join({ memberId, memberEpoch })).rejects.toMatchObject({ code: "FENCED_MEMBER" });
    await place.pass(10_100, () => other.membership.heartbeat());
    await expect(place.join({ memberId, memberEpoch: back.epoch })).rejects.toMatchObject({ code: "FENCED_MEMBER" });
  });

  test("a newer membership takes over, and the older one just ends", async () => {
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

  test("what is asked of it is asked again after a lost answer", async () => {
    const place = await Place.open();
    const member = await place.join();
    await member.assigned();
    const other = await place.join();
    await other.assigned();
    expect(await member.assigned()).toBe("0 1 (2) (3)");
    await member.disconnect(); // with the answer under way
    const { memberId, epoch: memberEpoch } = member;
    const back = await place.join({ memberId, memberEpoch });
    expect(await back.gives()).toBe("0 1 (2) (3)");
    await place.pass(100);
    expect(await other.assigned()).toBe("2 3");
  });

  test("a coordinator that was stopped itself takes nobody's silence for theirs", async () => {
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

  test("a wall clock that jumps changes nothing", async () => {
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

describe("joins that are said again", () => {
  const join = { memberId: "c6f3c1b0-6a5c-4d3e-8a6e-7a3f1f0d9a11", memberEpoch: 0 };

  test("the client's id is the member's", async () => {
    const place = await Place.open();
    const member = await place.join(join);
    expect([member.memberId, await member.assigned()]).toEqual([join.memberId, "0 1 2 3"]);
    expect((await place.commit(member, 1))[0]!.error).toBeUndefined();
  });

  test("a coordinator that stops before the client heard of its join leaves no ghost", async () => {
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

  test("a second join in the same turn goes on as the first", async () => {
    const place = await Place.open();
    const first = TestMember.join(place.coordinator, { group: "g", topics: ["other"], ...join });
    first.catch(() => {});
    const second = await place.join({ ...join, instanceId: "i" });
    expect(await second.assigned()).toBe("0 1 2 3");
    await expect(place.within(first)).rejects.toThrow("undefined came");
    expect((await place.coordinator.describeGroup("g")).members).toHaveLength(1);
  });

  test("one that comes late does not take the member from the client that has heard more", async () => {
    const place = await Place.open();
    const member = await place.join(join);
    await member.assigned();
    await place.commit(member, 1);
    await expect(place.join(join)).rejects.toMatchObject({ code: "FENCED_MEMBER" });
    expect((await place.commit(member, 2))[0]!.error).toBeUndefined();
  });

  test("the same id in two groups is two members", async () => {
    const place = await Place.open();
    const one = await place.join(join);
    const other = await place.join({ ...join, group: "h" });
    await place.within(one.membership.leave());
    expect(await other.assigned()).toBe("0 1 2 3");
    expect((await place.coordinator.describeGroup("h")).members).toMatchObject([{ connected: true }]);
    expect((await place.coordinator.describeGroup("g")).members).toEqual([]);
  });

  test.each(["", "a/b", "x".repeat(250), "a b"])("%j is no member id", async (memberId) => {
    const place = await Place.open();
    await expect(place.join({ memberId, memberEpoch: 0 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("a static member", () => {
  test("has its partitions at once when it comes back, and the old one is fenced", async () => {
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

  test("the one that is there is told to go", async () => {
    const place = await Place.open();
    const old = await place.join({ instanceId: "one" });
    await place.join({ instanceId: "one" });
    expect(await old.end()).toMatchObject({ code: "FENCED_MEMBER", message: expect.stringMatching(/instance id/) });
  });

  test("is out like any other when it does not come back", async () => {
    const place = await Place.open();
    await (await place.join({ instanceId: "one" })).disconnect();
    await place.pass(10_100);
    expect((await place.coordinator.describeGroup("g")).members).toEqual([]);
  });
});

describe("after a crash", () => {
  test("members go on, zombies do not, and everybody has their time to come back", async () => {
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

  test("a topic that was made meanwhile is shared out", async () => {
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

  test("a log that lost its end is not passed over", async () => {
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

test("nothing is told before it is durable", async () => {
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

test("when the disk fails, everybody is told, and nothing is served until it is opened again", async () => {
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

test("a group without members is forgotten after a week, and not before", async () => {
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
