import { setImmediate as turn } from "node:timers/promises";
import { FencedMemberError, PermissionDeniedError, QuotaExceededError, UnavailableError } from "@logstore/codec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FakeMembership } from "../../test/fake-groups.js";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { type Consumer, type ConsumerOptions, connect, type LogClient, text } from "../index.js";

let api: FakeLogApi;
let client: LogClient;
const consumers: Consumer<unknown, unknown>[] = [];
const loops: AsyncIterator<unknown>[] = [];

beforeEach(async () => {
  api = new FakeLogApi();
  client = connect(api);
  await api.createTopic({ topic: "t", partitions: 4 });
});

afterEach(async () => {
  await Promise.all(loops.splice(0).map((one) => one.return!()));
  await Promise.all(consumers.splice(0).map((one) => one.close()));
  await client.close();
});

/** Appends batches of the given numbers of records. The value of each record is its offset. */
async function fill(partition: number, ...sizes: number[]): Promise<void> {
  let offset = api.partition("t", partition).end;
  for (const size of sizes) {
    const producer = client.producer("t");
    const sent = Array.from({ length: size }, () => producer.send({ key: "k", value: `${offset++}`, partition }));
    await Promise.all(sent);
  }
}

function member(options: Partial<Omit<ConsumerOptions<string>, "value">> = {}): Consumer<string> {
  const consumer = client.consumer({ group: "g", topics: ["t"], value: text(), ...options });
  consumers.push(consumer as Consumer<unknown, unknown>);
  return consumer;
}

/** Iterates over a consumer's records. The loop is left at the end of the test. */
function loop(consumer: Consumer<string>) {
  const records = consumer[Symbol.asyncIterator]();
  loops.push(records);
  return records;
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Returns the next `count` records as "partition:offset". */
async function take(records: AsyncIterator<{ partition: number; offset: number }>, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const { value, done } = await records.next();
    if (done) throw new Error("the loop ended");
    taken.push(`${value.partition}:${value.offset}`);
  }
  return taken;
}

const membership = (index = 0) => api.groups.memberships[index]!;

describe("a loop", () => {
  test("joins with what it was told, reads what is assigned from where the group was, and leaves when it is left", async () => {
    await fill(0, 3, 3);
    await fill(1, 2);
    api.groups.onJoin = (one) => one.joined().assigned(3, [[0, 4], 1]);
    const options = {
      clientId: "c",
      sessionTimeoutMs: 7,
      revokeTimeoutMs: 8,
      assignor: "range",
    } as const;
    const consumer = member(options);
    const records = loop(consumer);
    expect((await take(records, 4)).toSorted()).toEqual(["0:4", "0:5", "1:0", "1:1"]);
    expect(membership().request).toEqual({
      group: "g",
      topics: ["t"],
      memberId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      memberEpoch: 0,
      ...options,
    });
    expect(consumer.assignment).toEqual([
      { topic: "t", partition: 0 },
      { topic: "t", partition: 1 },
    ]);
    expect(consumer.position("t", 0)).toBe(6);
    await records.return!();
    expect(membership().said).toEqual(["leave"]);
    expect(api.openStreams).toBe(0);
  });

  test("commits what was processed: all but what was in hand when it was left", async () => {
    await fill(0, 5);
    api.groups.onJoin = (one) => one.joined("m7", 1).assigned(3, [0]);
    for await (const { offset } of member()) if (offset === 3) break;
    expect(api.groups.commits).toMatchObject([{ group: "g", memberId: "m7", memberEpoch: 3 }]);
    expect(api.groups.committed).toEqual({ 0: 3 });
    const failing = async () => {
      for await (const { offset } of member()) if (offset === 1) throw new Error("mine");
    };
    await expect(failing()).rejects.toThrow("mine");
    expect(api.groups.committed).toEqual({ 0: 1 });
  });

  test("commits on an interval while it goes on, and nothing where nothing is new", async () => {
    await fill(0, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [[0, 0]]);
    const records = loop(member({ commitIntervalMs: 2 }));
    await take(records, 3);
    await eventually(() => api.groups.committed[0] === 2);
    const { length } = api.groups.commits;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(api.groups.commits).toHaveLength(length);
  });

  test("close from outside waits for what is in hand, which counts, and ends the loop quietly", async () => {
    await fill(0, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member();
    const seen: number[] = [];
    const isAt1 = Promise.withResolvers<void>();
    const closed = isAt1.promise.then(() => consumer.close());
    for await (const { offset } of consumer) {
      seen.push(offset);
      if (offset !== 1) continue;
      isAt1.resolve();
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(membership().said).toEqual([]);
    }
    await closed;
    expect(seen).toEqual([0, 1]);
    expect(api.groups.committed).toEqual({ 0: 2 });
    expect(membership().said).toEqual(["leave"]);
    for await (const _ of consumer) expect.unreachable();
  });

  test("who leaves a loop, or closes, has left the group", async () => {
    await fill(0, 3);
    for (const how of ["return", "close"] as const) {
      const left = Promise.withResolvers<void>();
      api.groups.onJoin = (one) => {
        one.joined().assigned(1, [0]).left = left.promise;
      };
      const consumer = member();
      const records = loop(consumer);
      await take(records, 1);
      let isOver = false;
      const over = (how === "return" ? records.return!() : consumer.close()).then(() => {
        isOver = true;
      });
      if (how === "close") await records.next();
      await eventually(() => api.groups.memberships.at(-1)!.said.includes("leave"));
      await turn();
      expect(isOver).toBe(false);
      left.resolve();
      await over;
    }
  });

  test("a member that is closed while it has no connection rejoins to leave", async () => {
    await fill(0, 3);
    api.groups.onJoin = (one) => one.joined("m1", 4).assigned(4, [0]);
    const consumer = member();
    const records = loop(consumer);
    await take(records, 1);
    membership().fail(new UnavailableError("the stream broke"));
    await turn();
    expect(api.groups.memberships.length).toBe(1);
    const closed = consumer.close();
    await records.next();
    await closed;
    const { memberId, memberEpoch } = membership(1).request;
    expect([memberId, memberEpoch]).toEqual(["m1", 4]);
    expect([membership().said, membership(1).said, api.groups.memberships.length]).toEqual([[], ["leave"], 2]);
  });

  test("a connection that is lost before the response to a leave is made once more", async () => {
    await fill(0, 3);
    api.groups.onJoin = (one) => {
      one.joined().assigned(1, [0]);
      if (api.groups.memberships.length < 3) one.left = Promise.reject(new UnavailableError("the stream broke"));
      one.left.catch(() => {});
    };
    const consumer = member();
    const records = loop(consumer);
    await take(records, 1);
    const closed = consumer.close();
    await records.next();
    await closed;
    expect(api.groups.memberships.map(({ said }) => said)).toEqual([["leave"], ["leave"]]);
  });

  test.each([
    ["which its group refuses", (one: FakeMembership) => one.fail(new PermissionDeniedError("no longer"))],
    ["whose connection fails before it", (one: FakeMembership) => one.fail(new UnavailableError("the stream broke"))],
  ])("a member that rejoins to leave, %s, ends without an error", async (_, rejoin) => {
    await fill(0, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member();
    const records = loop(consumer);
    await take(records, 1);
    membership().fail(new UnavailableError("the stream broke"));
    await turn();
    api.groups.onJoin = rejoin;
    const closed = consumer.close();
    await records.next();
    await closed;
    expect(api.groups.memberships.length).toBe(2);
  });

  test("a member that its group refuses before it answers the leave ends without an error", async () => {
    await fill(0, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member();
    const records = loop(consumer);
    await take(records, 1);
    const refused = new PermissionDeniedError("no longer");
    const left = Promise.withResolvers<void>();
    membership().left = left.promise;
    api.groups.onJoin = (one) => one.fail(refused);
    const closed = consumer.close();
    await records.next();
    await eventually(() => membership(0).said.includes("leave"));
    membership(0).fail(refused);
    left.resolve();
    await closed;
  });

  test("a member that its group refuses does not ask to leave it", async () => {
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member();
    const records = loop(consumer);
    const refused = expect(records.next()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await turn();
    membership().fail(new PermissionDeniedError("no longer"));
    await refused;
    await consumer.close();
    expect([membership().said, api.groups.memberships.length]).toEqual([[], 1]);
  });

  test("a static member that ends commits, and keeps its place unless it is told to leave", async () => {
    await fill(0, 5);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    for await (const { offset } of member({ instanceId: "i" })) if (offset === 3) break;
    expect(membership().request.instanceId).toBe("i");
    expect(api.groups.committed).toEqual({ 0: 3 });
    expect([membership().said, membership().isBroken]).toEqual([[], true]);
    const consumer = member({ instanceId: "i" });
    const records = loop(consumer);
    await take(records, 1);
    const closed = consumer.close({ leave: true });
    await records.next();
    await closed;
    expect([membership(1).said, membership(1).isBroken]).toEqual([["leave"], false]);
  });

  test("a static member whose loop has ended can still commit", async () => {
    await fill(0, 5);
    api.groups.onJoin = (one) => one.joined("m1", 4).assigned(4, [0]);
    const consumer = member({ instanceId: "i" });
    for await (const { offset } of consumer) if (offset === 3) break;
    await consumer.commit("t", 0, 4);
    expect(api.groups.commits.at(-1)).toMatchObject({ memberId: "m1", memberEpoch: 4, offsets: [{ offset: 4 }] });
  });

  test("a second loop is closed with its client, also when the first one left only after it began", async () => {
    await fill(0, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const left = Promise.withResolvers<void>();
    const consumer = member();
    const first = loop(consumer);
    await take(first, 1);
    membership().left = left.promise;
    const gone = first.return!();
    await eventually(() => membership().said.includes("leave"));
    const second = loop(consumer);
    await take(second, 1);
    left.resolve();
    await gone;
    const closed = client.close();
    expect(await second.next()).toEqual({ done: true, value: undefined });
    await closed;
    expect(membership(1).said).toEqual(["leave"]);
  });

  test("by batches, a batch is what is in hand", async () => {
    await fill(0, 3, 3, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [[0, 1]]);
    for await (const batch of member().batches()) {
      if (batch.baseOffset === 6) break;
      expect([...batch].map(({ offset }) => offset)).toEqual(batch.baseOffset === 1 ? [1, 2] : [3, 4, 5]);
    }
    expect(api.groups.committed).toEqual({ 0: 6 });
  });

  test("by chunks, a chunk is what is in hand", async () => {
    await fill(0, 3, 3, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [[0, 1]]);
    const consumer = member();
    const seen: number[][] = [];
    for await (const records of consumer.chunks()) {
      const offsets = records.map(({ offset }) => offset);
      if (offsets[0] === 6) break;
      seen.push(offsets);
      if (offsets[0] !== 1) continue;
      await consumer.commit();
      expect(api.groups.committed).toEqual({ 0: 3 });
    }
    expect(seen).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    expect(api.groups.committed).toEqual({ 0: 6 });
  });

  test("a chunk that is still being decoded when its partition is paused comes whole once it is resumed", async () => {
    await fill(0, 3);
    const validated: string[] = [];
    const gate = Promise.withResolvers<void>();
    const validate = async (value: unknown) => {
      validated.push(value as string);
      if (value === "1") await gate.promise;
      return { value: value as string };
    };
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member({ schema: { "~standard": { version: 1, vendor: "test", validate } } });
    const chunks = consumer.chunks();
    loops.push(chunks);
    const next = chunks.next();
    await eventually(() => validated.length === 2);
    consumer.pause("t", 0);
    gate.resolve();
    await turn();
    expect(consumer.position("t", 0)).toBe(0);
    consumer.resume("t", 0);
    expect((await next).value!.map(({ offset }) => offset)).toEqual([0, 1, 2]);
  });

  test("a record that is still being decoded when its partition goes is not handed out", async () => {
    await fill(0, 1);
    const valid = Promise.withResolvers<{ value: string }>();
    let decoding = false;
    const validate = () => {
      decoding = true;
      return valid.promise;
    };
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member({ schema: { "~standard": { version: 1, vendor: "test", validate } } });
    const next = loop(consumer).next();
    await eventually(() => decoding);
    membership().assigned(2, [], [0]);
    await eventually(() => membership().said.includes("revoked 0 at 2"));
    valid.resolve({ value: "x" });
    await turn();
    void consumer.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(api.groups.commits.at(-1)!.offsets).toEqual([{ topic: "t", partition: 0, offset: 0 }]);
  });

  test("what the group refuses a member with ends the loop", async () => {
    const refusal = Object.assign(new Error("no"), { code: "PERMISSION_DENIED" });
    api.groups.onJoin = (one) => one.fail(refusal);
    await expect(member()[Symbol.asyncIterator]().next()).rejects.toBe(refusal);
  });

  test("a group that is full ends it; one that may be joined later is waited for", async () => {
    const later = new QuotaExceededError("too many calls", { retryAfterMs: 1 });
    const refusals = [later, new QuotaExceededError("the group is full")];
    api.groups.onJoin = (one) => one.fail(refusals.shift());
    const next = member()[Symbol.asyncIterator]().next();
    await expect(next).rejects.toMatchObject({ code: "QUOTA_EXCEEDED", retryAfterMs: undefined });
    expect(api.groups.memberships).toHaveLength(2);
  });

  test("its signal ends it with its reason, and the group is left", async () => {
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const abort = new AbortController();
    const consumer = member({ signal: abort.signal });
    const next = consumer[Symbol.asyncIterator]().next();
    await eventually(() => consumer.assignment.length === 1);
    abort.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
    await consumer.close();
    expect(membership().said).toEqual(["leave"]);
  });
});

describe("partitions come and go", () => {
  test("what nobody works on goes at once; what is in hand when it is processed, committed with the new epoch", async () => {
    await fill(0, 3);
    await fill(1, 3);
    await fill(2, 1);
    const told: string[] = [];
    const consumer = member({
      onAssigned: (partitions) => void told.push(`+${partitions.map(({ partition }) => partition)}`),
      onRevoked: (partitions) => void told.push(`-${partitions.map(({ partition }) => partition)}`),
    });
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const records = loop(consumer);
    await take(records, 2);
    membership().assigned(2, [0, 1]);
    await eventually(() => told.includes("+1"));
    membership().assigned(3, [2], [0, 1]);
    await eventually(() => membership().said.length === 1 && told.includes("+2"));
    expect(membership().said).toEqual(["revoked 1 at 3"]); // record 0 is being processed
    expect(await take(records, 1)).toEqual(["2:0"]);
    await eventually(() => membership().said.length === 2);
    expect(membership().said[1]).toBe("revoked 0 at 3");
    expect(api.groups.committed).toMatchObject({ 0: 2 });
    expect(api.groups.commits.at(-1)).toMatchObject({ memberEpoch: 3 });
    expect(told.toSorted()).toEqual(["+0", "+1", "+2", "-0", "-1"]);
    expect(consumer.position("t", 0)).toBeUndefined();
  });

  test("the hook may take its time: only then is the partition committed and given up", async () => {
    await fill(0, 2);
    const flushed = Promise.withResolvers<void>();
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member({ onRevoked: () => flushed.promise });
    const records = loop(consumer);
    await take(records, 2);
    membership().assigned(2, [], [0]);
    const next = records.next();
    await turn();
    expect([membership().said, api.groups.commits]).toEqual([[], []]);
    flushed.resolve();
    await eventually(() => membership().said.length === 1);
    expect(api.groups.committed).toEqual({ 0: 2 });
    void consumer.close();
    await next;
  });

  test("one that comes back while it is in hand is read again only after that", async () => {
    await fill(0, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const records = loop(member());
    await take(records, 1);
    membership()
      .assigned(2, [], [0])
      .assigned(3, [[0, 1]]);
    await turn();
    expect(membership().said).toEqual([]);
    expect(await take(records, 2)).toEqual(["0:1", "0:2"]);
    expect(membership().said).toEqual(["revoked 0 at 3"]);
  });

  test("what is to be given up and is not had any more is acknowledged at once", async () => {
    api.groups.onJoin = (one) => one.joined().assigned(1, [0], [2, 3]);
    const consumer = member();
    const next = consumer[Symbol.asyncIterator]().next();
    await eventually(() => membership()?.said.length === 1);
    expect(membership().said).toEqual(["revoked 2,3 at 1"]);
    void consumer.close();
    await next;
  });

  test("a hook that throws ends the loop", async () => {
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member({ onAssigned: () => Promise.reject(new Error("hook")) });
    await expect(consumer[Symbol.asyncIterator]().next()).rejects.toThrow("hook");
  });
});

describe("a session", () => {
  test("that breaks is resumed by the same member; reading goes on meanwhile, nothing twice", async () => {
    await fill(0, 2);
    api.groups.onJoin = (one) => one.joined("m9", 4).assigned(5, [0]);
    const records = loop(member());
    await take(records, 2);
    membership().fail(new UnavailableError("gone"));
    await fill(0, 1);
    expect(await take(records, 1)).toEqual(["0:2"]);
    await eventually(() => api.groups.memberships.length === 2);
    expect(membership(1).request).toMatchObject({ memberId: "m9", memberEpoch: 5 });
    membership(1).end();
    await eventually(() => api.groups.memberships.length === 3);
    await fill(0, 1);
    expect(await take(records, 1)).toEqual(["0:3"]);
  });

  test("that the group has ended: everything is lost, what is in hand is not committed, and another one begins", async () => {
    await fill(0, 4);
    const lost: unknown[] = [];
    api.groups.onJoin = (one) => one.joined(`m${api.groups.memberships.length}`, 1).assigned(1, [[0, 1]]);
    const consumer = member({ onLost: (partitions) => void lost.push(...partitions) });
    const records = loop(consumer);
    expect(await take(records, 1)).toEqual(["0:1"]);
    membership().fail(new FencedMemberError("too late"));
    await eventually(() => lost.length === 1);
    expect(await take(records, 1)).toEqual(["0:1"]);
    expect(membership(1).request.memberEpoch).toBe(0);
    expect(["m1", membership().request.memberId]).not.toContain(membership(1).request.memberId);
    expect(lost).toEqual([{ topic: "t", partition: 0 }]);
    expect(membership().said).toEqual([]);
    await records.return!();
    expect(api.groups.committed).toEqual({});
  });

  test("that the group has ended commits nothing more, and not as nobody either", async () => {
    await fill(0, 4);
    const answer = Promise.withResolvers<void>();
    api.groups.onJoin = (one) => one.joined(`m${api.groups.memberships.length}`, 1).assigned(1, [[0, 0]]);
    api.groups.onCommit = () => answer.promise.then(() => ({ error: { code: "FENCED_MEMBER", message: "out" } }));
    const consumer = member({ commitIntervalMs: 1, onLost: () => new Promise((resolve) => setTimeout(resolve, 10)) });
    const records = loop(consumer);
    await take(records, 2);
    await eventually(() => api.groups.commits.length === 1);
    const asMember = consumer.commit(); // waits for the other commit
    membership().fail(new FencedMemberError("too late"));
    await eventually(() => consumer.assignment.length === 0);
    const asNobody = consumer.commit("t", 0, 1);
    answer.resolve();
    await expect(asNobody).rejects.toMatchObject({ code: "FENCED_MEMBER", group: "g" });
    await asMember;
    expect(api.groups.commits).toHaveLength(1);
  });

  test("that the group has ended commits nothing of it as the member that it is next", async () => {
    await fill(0, 4);
    const answer = Promise.withResolvers<void>();
    api.groups.onJoin = (one) => one.joined(`m${api.groups.memberships.length}`, 1).assigned(1, [[0, 0]]);
    api.groups.onCommit = () => answer.promise.then(() => ({ error: { code: "FENCED_MEMBER", message: "out" } }));
    const consumer = member({ commitIntervalMs: 60_000 });
    const records = loop(consumer);
    await take(records, 2);
    const held = consumer.commit("t", 0, 1).catch(() => {});
    const behind = consumer.commit();
    membership().fail(new FencedMemberError("too late"));
    await eventually(() => api.groups.memberships.length === 2 && consumer.assignment.length === 1);
    answer.resolve();
    await Promise.all([held, behind]);
    expect(api.groups.commits).toHaveLength(1);
  });

  test("stays alive, its memory bounded, while the application does nothing", async () => {
    await fill(0, ...Array.from({ length: 20 }, () => 5));
    api.groups.onJoin = (one) => one.joined("m1", 1, 2).assigned(1, [0]);
    const consumer = member();
    const records = loop(consumer);
    await take(records, 1);
    await eventually(() => membership().heartbeats > 5);
    expect(consumer.assignment).toHaveLength(1);
    expect(consumer.lag("t", 0)).toBe(99);
    expect(consumer.lagMs("t", 0)).toBeGreaterThan(0);
  });

  test("a commit that is refused for its epoch is made again with the one that came meanwhile", async () => {
    await fill(0, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member({ commit: "manual" });
    const answer = Promise.withResolvers<void>();
    api.groups.onCommit = async (_, { memberEpoch }) => {
      if (memberEpoch !== 1) return {};
      await answer.promise;
      return { error: { code: "FENCED_MEMBER", message: "an old epoch" } };
    };
    await take(loop(consumer), 2);
    const committed = consumer.commit("t", 0, 1);
    await eventually(() => api.groups.commits.length === 1);
    membership().assigned(2, [0]);
    await turn();
    answer.resolve();
    await committed;
    expect(api.groups.commits.map(({ memberEpoch }) => memberEpoch)).toEqual([1, 2]);
    expect(api.groups.commits[1]!.offsets).toEqual(api.groups.commits[0]!.offsets);
  });
});

describe("positions", () => {
  test("where nothing is committed, reading begins where it is told", async () => {
    await fill(0, 3);
    const first = async (from: ConsumerOptions["from"]) => {
      const begun = Promise.withResolvers<number | undefined>();
      const consumer: Consumer<string> = member({
        from,
        onAssigned: () => begun.resolve(consumer.position("t", 0)),
      });
      api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
      loop(consumer).next().catch(begun.reject);
      return begun.promise;
    };
    expect(await first("latest")).toBe(3);
    expect(await first({ time: 0 })).toBe(0);
    await expect(first("none")).rejects.toMatchObject({ code: "NO_COMMITTED_OFFSET", topic: "t", partition: 0 });
  });

  test("a start at the end is committed: what comes then is not skipped by the next member", async () => {
    await fill(0, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    void loop(member({ from: "latest", commitIntervalMs: 1 })).next();
    await eventually(() => api.groups.committed[0] === 3);
  });

  test("a committed offset that is gone: on to the nearest, which is told; with none, that is an error", async () => {
    await fill(0, 2, 2, 2);
    api.partition("t", 0).logStartOffset = 4;
    api.groups.onJoin = (one) =>
      one.joined().assigned(1, [
        [0, 1],
        [1, 9],
      ]);
    const skipped: unknown[] = [];
    const records = loop(member({ onSkipped: (one) => void skipped.push(one) }));
    expect(await take(records, 2)).toEqual(["0:4", "0:5"]);
    expect(skipped).toEqual([
      { topic: "t", partition: 0, from: 1, to: 4 },
      { topic: "t", partition: 1, from: 9, to: 0 },
    ]);
    await expect(member({ from: "none" })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "OFFSET_OUT_OF_RANGE",
      offset: 1,
      expected: 4,
    });
  });

  test("records that go while they are read are told of too", async () => {
    await fill(0, 2);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const skipped: unknown[] = [];
    const records = loop(member({ onSkipped: (one) => void skipped.push(one) }));
    expect(await take(records, 2)).toEqual(["0:0", "0:1"]);
    api.partition("t", 0).logStartOffset = 4;
    await fill(0, 2, 2);
    expect(await take(records, 2)).toEqual(["0:4", "0:5"]);
    expect(skipped).toEqual([{ topic: "t", partition: 0, from: 2, to: 4 }]);
  });

  test("what a repair has cut out is told of, and committed when all before it is processed", async () => {
    await fill(0, 2, 2, 2);
    api.partition("t", 0).lose(2, 1, true);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const skipped: unknown[] = [];
    const consumer = member({ onSkipped: (one) => void skipped.push(one), commitIntervalMs: 1 });
    const records = loop(consumer);
    expect(await take(records, 4)).toHaveLength(4);
    await eventually(() => skipped.length === 1);
    expect(api.groups.committed[0]).not.toBe(6); // the last record is being processed
    void records.next();
    await eventually(() => api.groups.committed[0] === 6);
    expect([consumer.position("t", 0), consumer.lag("t", 0)]).toEqual([6, 0]);
    expect(skipped).toEqual([{ topic: "t", partition: 0, from: 4, to: 6 }]);
  });

  test("a gap is not committed while a record before it is worked on", async () => {
    await fill(0, 2, 2);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const skipped: unknown[] = [];
    const { promise: worked, resolve: finish } = Promise.withResolvers<void>();
    const consumer = member({ onSkipped: (one) => void skipped.push(one), commitIntervalMs: 1 });
    const running = consumer.run({ eachRecord: ({ offset }) => (offset === 3 ? worked : undefined) });
    // All other records are processed. None of them may reset the group to the current record when
    // the gap arrives.
    await eventually(() => api.groups.committed[0] === 3);
    const log = api.partition("t", 0);
    log.gaps.push({ firstOffset: 4, nextOffset: 6 });
    log.wake();
    await eventually(() => skipped.length === 1 && consumer.position("t", 0) === 6);
    await new Promise((resolve) => setTimeout(resolve, 30)); // commits happen in the meantime
    expect(api.groups.committed[0]).toBe(3);
    finish();
    await eventually(() => api.groups.committed[0] === 6);
    await consumer.close();
    await running;
  });

  test("records that are missing without a word end the loop, and nothing behind them is committed", async () => {
    await fill(0, 2, 2, 2);
    api.partition("t", 0).lose(1, 1, false);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const loops = [loop(member()), member().batches()];
    for (const records of loops) {
      const reading = (async () => {
        while (!(await records.next()).done);
      })();
      await expect(reading).rejects.toMatchObject({ code: "OFFSET_GAP", expected: 2, actual: 4 });
      expect(api.groups.committed[0]).toBeLessThanOrEqual(2);
    }
    const run = member().run({ eachRecord: () => {} });
    await expect(run).rejects.toMatchObject({ code: "OFFSET_GAP", expected: 2, actual: 4 });
    expect(api.groups.committed[0]).toBeLessThanOrEqual(2);
  });

  test("a log that has lost its end goes on from there, and so does the group", async () => {
    await fill(0, 2, 2);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const skipped: unknown[] = [];
    const consumer = member({ onSkipped: (one) => void skipped.push(one) });
    const records = loop(consumer);
    expect(await take(records, 4)).toHaveLength(4);
    await consumer.commit();
    const log = api.partition("t", 0);
    api.onEvent = () => {
      throw new UnavailableError("the power went");
    };
    log.batches.pop();
    log.producers.clear();
    log.wake();
    await eventually(() => api.openStreams === 0);
    api.onEvent = (event) => event;
    await eventually(() => skipped.length === 1);
    expect(skipped).toEqual([{ topic: "t", partition: 0, from: 4, to: 2 }]);
    await fill(0, 1);
    expect(await take(records, 1)).toEqual(["0:2"]);
    await consumer.commit();
    expect([api.groups.committed[0], consumer.committed("t", 0)]).toEqual([3, 3]);
  });

  test("somebody resets an offset: the loop goes on there, and what was in hand is not committed", async () => {
    await fill(0, 6);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member();
    const records = loop(consumer);
    await take(records, 5);
    membership()
      .reset(2, 0, 1)
      .assigned(2, [[0, 1]]);
    await eventually(() => consumer.committed("t", 0) === 1);
    expect(await take(records, 1)).toEqual(["0:1"]);
    await records.return!();
    expect(api.groups.committed).toEqual({});
  });

  test.each([
    ["refused", "all"],
    ["refused", "one"],
    ["answered late", "all"],
    ["answered late", "one"],
  ])("a reset is not undone by a commit that is under way: %s, of %s", async (how, what) => {
    await fill(0, 6);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const answer = Promise.withResolvers<void>();
    const error = { code: "FENCED_MEMBER", message: "an old epoch" } as const;
    api.groups.onCommit = () => answer.promise.then(() => (how === "refused" ? { error } : {}));
    const consumer = member({ commitIntervalMs: 60_000 });
    await take(loop(consumer), 4);
    const underWay = what === "all" ? consumer.commit() : consumer.commit("t", 0, 4);
    const behind = consumer.commit("t", 0, 4);
    behind.catch(() => {});
    await eventually(() => api.groups.commits.length === 1);
    membership()
      .reset(2, 0, 0)
      .assigned(2, [[0, 0]]);
    await eventually(() => consumer.committed("t", 0) === 0);
    answer.resolve();
    if (how === "refused" && what === "one") await expect(underWay).rejects.toMatchObject({ code: "FENCED_MEMBER" });
    else await underWay;
    await expect(behind).rejects.toMatchObject({ code: "FENCED_MEMBER", group: "g", topic: "t", partition: 0 });
    await consumer.commit();
    expect([api.groups.commits.length, consumer.committed("t", 0)]).toEqual([1, 0]);
  });

  test("a reset that comes before the start was found is the start", async () => {
    await fill(0, 6);
    const asked = Promise.withResolvers<void>();
    const { listOffsets } = api;
    api.listOffsets = async (request) => {
      const found = await listOffsets.call(api, request);
      await asked.promise;
      return found;
    };
    api.groups.onJoin = (one) =>
      one
        .joined()
        .assigned(1, [[0, 1]])
        .reset(2, 0, 4)
        .assigned(2, [[0, 4]]);
    const consumer = member();
    const next = take(loop(consumer), 2);
    await eventually(() => consumer.committed("t", 0) === 4);
    asked.resolve();
    expect(await next).toEqual(["0:4", "0:5"]);
  });

  test("a seek that comes before the start was found is the start, too", async () => {
    await fill(0, 6);
    const asked = Promise.withResolvers<void>();
    const { listOffsets } = api;
    api.listOffsets = async (request) => {
      await asked.promise;
      return listOffsets.call(api, request);
    };
    api.groups.onJoin = (one) => one.joined().assigned(1, [[0, 1]]);
    const consumer = member();
    const next = take(loop(consumer), 2);
    await eventually(() => consumer.assignment.length === 1);
    consumer.seek("t", 0, 3);
    asked.resolve();
    expect(await next).toEqual(["0:3", "0:4"]);
  });

  test("seek goes elsewhere, also before anything is read", async () => {
    await fill(0, 6);
    api.groups.onJoin = (one) => one.joined().assigned(1, [[0, 5]]);
    const consumer: Consumer<string> = member({ onAssigned: () => consumer.seek("t", 0, 2) });
    const records = loop(consumer);
    expect(await take(records, 2)).toEqual(["0:2", "0:3"]);
    consumer.seek("t", 0, 0);
    expect(await take(records, 2)).toEqual(["0:0", "0:1"]);
    await consumer.commit();
    await consumer.commit("t", 0, 2);
    expect([api.groups.commits.length, consumer.committed("t", 0)]).toEqual([1, 5]); // only a reset moves an offset back
    expect(api.openStreams).toBe(1);
    expect(() => consumer.seek("t", 3, 0)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", partition: 3 }));
    consumer.seek("t", 0, 99);
    await expect(records.next()).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
  });

  test("a paused partition stays assigned and gives nothing until it is resumed", async () => {
    await fill(0, 3);
    await fill(1, 2);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0, 1]);
    const consumer: Consumer<string> = member({ onAssigned: () => consumer.pause("t", 1) });
    const records = loop(consumer);
    expect(await take(records, 1)).toEqual(["0:0"]);
    consumer.pause("t", 0);
    consumer.resume("t", 1);
    expect(await take(records, 2)).toEqual(["1:0", "1:1"]);
    consumer.resume("t", 0);
    consumer.resume("t", 0);
    expect(await take(records, 2)).toEqual(["0:1", "0:2"]);
    expect(consumer.assignment).toHaveLength(2);
  });
});

describe("by hand", () => {
  test("nothing is committed but what is said; what is in hand is part of it", async () => {
    await fill(0, 4);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member({ commit: "manual", commitIntervalMs: 1 });
    for await (const { offset } of consumer) {
      if (offset === 1) await consumer.commit();
      if (offset === 3) break;
    }
    expect(api.groups.commits.map(({ offsets }) => offsets)).toEqual([[{ topic: "t", partition: 0, offset: 2 }]]);
  });

  test("a record or a batch is committed with everything before it in its partition", async () => {
    await fill(0, 2, 3);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const commits = () =>
      api.groups.commits.flatMap(({ offsets }) => offsets.map(({ offset, metadata }) => [offset, metadata]));
    const consumer = member({ commit: "manual" });
    for await (const record of consumer) {
      if (record.offset === 1) await consumer.commit(record);
      if (record.offset === 3) break;
    }
    expect(commits()).toEqual([[2, undefined]]);
    const byBatches = member({ commit: "manual" });
    for await (const batch of byBatches.batches()) {
      await byBatches.commit(batch, "by batch");
      break;
    }
    expect(commits().slice(1)).toEqual([[2, "by batch"]]);
  });

  test("what was not handed out is not committed", async () => {
    await fill(0, 1);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    const consumer = member({ commit: "manual" });
    await take(loop(consumer), 1);
    for (const wrong of [null, 5, {}, { topic: "t", partition: 0 }, { topic: "t", partition: 0, offset: "1" }]) {
      await expect(consumer.commit(wrong as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(api.groups.commits).toEqual([]);
  });

  test("a commit that cannot be made is told; by itself it is tried again", async () => {
    await fill(0, 4);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    let away = true;
    api.groups.onCommit = () => {
      if (away) throw new UnavailableError("away");
      return {};
    };
    const consumer = member({ commitIntervalMs: 1 });
    await take(loop(consumer), 3);
    await eventually(() => api.groups.commits.length > 2);
    await expect(consumer.commit()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    away = false;
    await eventually(() => consumer.committed("t", 0) === 3);
  });

  test("by itself it is tried again where the log has too much to do", async () => {
    await fill(0, 4);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    let refusals = 3;
    api.groups.onCommit = () => {
      if (refusals-- > 0) throw Object.assign(new Error("full"), { code: "BUFFER_FULL" });
      return {};
    };
    const consumer = member({ commitIntervalMs: 1 });
    await take(loop(consumer), 3);
    await eventually(() => consumer.committed("t", 0) === 2);
  });

  test("a log that has lost its end refuses a commit, and ends nobody's loop", async () => {
    await fill(0, 4);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    api.groups.onCommit = () => ({ error: { code: "OFFSET_OUT_OF_RANGE", message: "beyond the end" } });
    const consumer = member({ commitIntervalMs: 1 });
    const records = loop(consumer);
    await take(records, 3);
    await eventually(() => api.groups.commits.length > 2);
    await consumer.commit();
    await expect(consumer.commit("t", 0, 2)).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
    expect(await take(records, 1)).toEqual(["0:3"]);
  });

  test("an offset of one's own, with metadata; one that is not the member's is refused", async () => {
    await fill(0, 2);
    api.groups.onJoin = (one) => one.joined().assigned(1, [0]);
    api.groups.onCommit = ({ partition }) =>
      partition === 0 ? {} : { error: { code: "FENCED_MEMBER", message: "not yours", topic: "t", partition } };
    const consumer = member({ commit: "manual" });
    await take(loop(consumer), 1);
    await consumer.commit("t", 0, 1, "half-way");
    expect(api.groups.commits[0]!.offsets).toEqual([{ topic: "t", partition: 0, offset: 1, metadata: "half-way" }]);
    expect(consumer.committed("t", 0)).toBe(1);
    await expect(consumer.commit("t", 2, 1)).rejects.toMatchObject({ code: "FENCED_MEMBER", partition: 2 });
  });
});
