import { type ClientHttp2Stream, connect } from "node:http2";
import { FencedMemberError } from "@logstore/codec";
import type { GroupDescription, GroupMembership, JoinGroupRequest, LogApi, MemberEvent } from "@logstore/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { collect, detailOf, failure } from "../../test/foreign-client.js";
import { eventually, home } from "../../test/home.js";
import type { Refusal } from "../index.js";

const INVALID_ARGUMENT = 3;
const FAILED_PRECONDITION = 9;
const UNAVAILABLE = 14;

/** A membership that yields given events, then waits, and records the member's messages. */
class FakeMembership implements GroupMembership, AsyncIterator<MemberEvent, undefined> {
  readonly told: unknown[] = [];
  readonly #events: MemberEvent[];
  #end: ((result: IteratorResult<MemberEvent, undefined> | Error) => void) | undefined;

  constructor(...events: MemberEvent[]) {
    this.#events = events;
  }

  /** Whether it has yielded all given events. */
  get isDrained(): boolean {
    return this.#events.length === 0;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<MemberEvent, undefined>> {
    const value = this.#events.shift();
    if (value !== undefined) return { value, done: false };
    const result = await new Promise<IteratorResult<MemberEvent, undefined> | Error>(
      (resolve) => (this.#end = resolve),
    );
    if (result instanceof Error) throw result;
    return result;
  }

  async return(): Promise<IteratorResult<MemberEvent, undefined>> {
    this.told.push("left alone");
    this.#end?.({ value: undefined, done: true });
    return { value: undefined, done: true };
  }

  fail(error: Error): void {
    this.#end?.(error);
  }

  heartbeat(): void {
    this.told.push("heartbeat");
  }

  revoked(memberEpoch: number, partitions: unknown): void {
    this.told.push({ memberEpoch, partitions });
  }

  subscribe(topics: readonly string[]): void {
    this.told.push(topics);
  }

  async leave(): Promise<void> {
    this.told.push("leave");
  }
}

const joined = {
  type: "joined",
  memberId: "m1",
  memberEpoch: 4,
  heartbeatIntervalMs: 5_000,
  sessionTimeoutMs: 45_000,
} as const;
const assignment = {
  type: "assignment",
  memberEpoch: 5,
  partitions: [
    { topic: "t", partition: 0, committedOffset: 7 },
    { topic: "t", partition: 1, committedOffset: undefined },
  ],
  revoking: [{ topic: "u", partition: 2 }],
} as const;

async function joining(membership: FakeMembership) {
  const requests: JoinGroupRequest[] = [];
  const joinGroup: LogApi["joinGroup"] = (request) => {
    requests.push(request);
    return membership;
  };
  return { requests, ...(await home({ api: { joinGroup } })) };
}

describe("a membership", () => {
  test("receives events and sends messages, and ends when it leaves", async () => {
    const reset = { type: "offsetsReset", memberEpoch: 6, offsets: [{ topic: "t", partition: 0, offset: 3 }] } as const;
    const membership = new FakeMembership(joined, assignment, reset);
    const { client, requests } = await joining(membership);
    const stream = client.joinGroup();
    const all = collect(stream);
    stream.write({ join: { group: "g", topics: ["t", "u-*"], clientId: "me", sessionTimeoutMs: 9 } });
    stream.write({ heartbeat: {} });
    stream.write({ revoked: { memberEpoch: 5, partitions: [{ topic: "u", partition: 2 }] } });
    stream.write({ subscribe: { topics: ["v"] } });
    stream.write({ leave: {} });
    const { messages, error } = await all;
    expect(error).toBeUndefined();
    expect(requests).toEqual([{ group: "g", topics: ["t", "u-*"], clientId: "me", sessionTimeoutMs: 9 }]);
    expect(membership.told).toMatchObject([
      "heartbeat",
      { memberEpoch: 5, partitions: [{ topic: "u", partition: 2 }] },
      ["v"],
      "leave",
      "left alone",
    ]);
    const events = messages.filter(({ heartbeat }) => !heartbeat);
    expect(events.map(({ response }) => response)).toEqual(["joined", "assignment", "offsetsReset"]);
    expect(events[0].joined).toEqual({
      memberId: "m1",
      memberEpoch: 4,
      heartbeatIntervalMs: 5_000,
      sessionTimeoutMs: 45_000,
    });
    expect(events[1].assignment.partitions[0]).toMatchObject({ topic: "t", partition: 0, committedOffset: 7 });
    expect(events[1].assignment.partitions[1].committedOffset).toBeUndefined();
    expect(events[1].assignment).toMatchObject({ memberEpoch: 5, revoking: [{ topic: "u", partition: 2 }] });
    expect(events[2].offsetsReset).toMatchObject({
      memberEpoch: 6,
      offsets: [{ topic: "t", partition: 0, offset: 3 }],
    });
    expect(messages.some(({ heartbeat }) => heartbeat)).toBe(true);
  });

  test("is abandoned, but not left, when the stream breaks or its peer half-closes", async () => {
    for (const end of ["cancel", "end"] as const) {
      const membership = new FakeMembership(joined);
      const { client, requests } = await joining(membership);
      const stream = client.joinGroup();
      const all = collect(stream);
      stream.write({ join: { group: "g", topics: ["t"], memberId: "m1", memberEpoch: 4, instanceId: "i" } });
      await eventually(() => requests.length === 1);
      expect(requests[0]).toMatchObject({ memberId: "m1", memberEpoch: 4, instanceId: "i" });
      stream[end]();
      await eventually(() => membership.told.length > 0);
      await all;
      expect(membership.told).toEqual(["left alone"]);
    }
  });

  test("ends with UNAVAILABLE when the server stops, so that the member rejoins", async () => {
    const membership = new FakeMembership(joined);
    const { client, requests, server } = await joining(membership);
    const stream = client.joinGroup();
    const all = collect(stream);
    stream.write({ join: { group: "g", topics: ["t"] } });
    await eventually(() => requests.length === 1);
    await server.stop();
    expect((await all).error?.code).toBe(UNAVAILABLE);
    expect(membership.told).toEqual(["left alone"]);
  });

  test("ends with the error of the group", async () => {
    const membership = new FakeMembership(joined);
    const { client, requests } = await joining(membership);
    const stream = client.joinGroup();
    const all = collect(stream);
    stream.write({ join: { group: "g", topics: ["t"] } });
    await eventually(() => requests.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    membership.fail(new FencedMemberError("too late", { group: "g" }));
    const { error } = await all;
    expect(error?.code).toBe(FAILED_PRECONDITION);
    expect(detailOf(error!)).toMatchObject({ code: "FENCED_MEMBER", group: "g" });
  });

  test.each([
    ["that does not begin with a join", [{ heartbeat: {} }]],
    ["that is no protobuf", [Buffer.from([0xff, 0xff])]],
    ["that joins twice", [{ join: { group: "g", topics: ["t"] } }, { join: { group: "g", topics: ["t"] } }]],
    ["that says nothing", [{ join: { group: "g", topics: ["t"] } }, {}]],
  ])("%s is refused", async (_, messages) => {
    const { client } = await joining(new FakeMembership(joined));
    const stream = client.joinGroup();
    const all = collect(stream);
    for (const message of messages) stream.write(message);
    expect((await all).error?.code).toBe(INVALID_ARGUMENT);
  });
});

/** A member whose peer gives the server no send window. */
function memberThatDoesNotRead(address: string): ClientHttp2Stream {
  const session = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
  onTestFinished(() => session.destroy());
  const headers = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
  const stream = session.request({ ...headers, ":path": "/logstore.v1.ConsumerGroupService/JoinGroup" });
  stream.on("error", () => {}); // from the reset
  stream.write(Buffer.from("0000000008" + "0a06" + "0a0167" + "120174", "hex")); // join { group: "g", topics: ["t"] }
  return stream;
}

function closed(stream: ClientHttp2Stream): Promise<unknown> {
  return new Promise((resolve) => stream.once("close", resolve));
}

describe("a member that does not read", () => {
  test("has few events waiting, and is disconnected", async () => {
    let asked = 0;
    async function* events(): AsyncGenerator<MemberEvent, undefined> {
      for (; asked < 1_000; asked++) yield assignment;
      return undefined;
    }
    const membership = new FakeMembership();
    membership.next = (
      (iterator) => () =>
        iterator.next()
    )(events());
    const refusals: Refusal[] = [];
    const { server } = await home({
      api: { joinGroup: () => membership },
      stalledStreamTimeoutMs: 500,
      onRefused: (refusal) => refusals.push(refusal),
    });
    const stream = memberThatDoesNotRead(server.address);
    await closed(stream);
    expect(stream.rstCode).toBe(11); // ENHANCE_YOUR_CALM
    expect(refusals).toMatchObject([{ refused: "call", reason: "its member read nothing for too long" }]);
    expect(asked).toBeLessThan(100);
    await eventually(() => membership.told.includes("left alone"));
  });

  test("loses its membership at once when its permission ends, and its stream soon after", {
    timeout: 30_000,
  }, async () => {
    const membership = new FakeMembership(joined, assignment);
    const rules = [{ principals: ["anonymous"], operations: ["*"], topics: ["*"], groups: ["*"] }] as const;
    const { server } = await home({
      api: {
        joinGroup: () => membership,
      },
      access: { rules },
    });
    const stream = memberThatDoesNotRead(server.address);
    await eventually(() => membership.isDrained); // the first event waits for the peer
    await server.updateAccess({ rules: [{ ...rules[0], groups: ["others"] }] });
    expect(membership.told[0]).toBe("left alone");
    stream.write(Buffer.from("00000000021200", "hex")); // a heartbeat
    await closed(stream);
    expect(stream.rstCode).toBe(11);
    expect(new Set(membership.told)).toEqual(new Set(["left alone"]));
  });
});

describe("the other calls", () => {
  test("a commit has a result for each partition", async () => {
    const requests: unknown[] = [];
    const commitOffsets: LogApi["commitOffsets"] = async (request) => {
      requests.push(request);
      return [{}, { error: { code: "FENCED_MEMBER", message: "not yours", partition: 1 } }];
    };
    const { client } = await home({ api: { commitOffsets } });
    const offsets = [0, 1].map((partition) => ({ topic: "t", partition, offset: 9, metadata: "m" }));
    const { results } = await client.call("CommitOffsets", { group: "g", memberId: "m1", memberEpoch: 3, offsets });
    expect(results[0].error).toBeNull();
    expect(results[1].error).toMatchObject({ code: "FENCED_MEMBER", partition: 1 });
    expect(requests).toMatchObject([{ group: "g", memberId: "m1", memberEpoch: 3, offsets }]);
    await client.call("CommitOffsets", { group: "g", offsets });
    expect(requests[1]).toMatchObject({ group: "g", offsets });
  });

  test("offsets are fetched for all or some partitions, and reset to any position", async () => {
    const calls: unknown[] = [];
    const committed = { topic: "t", partition: 0, offset: 5, metadata: "m", committedAt: 1_000 };
    const { client } = await home({
      api: {
        fetchOffsets: async (...args) => {
          calls.push(args);
          return [committed];
        },
        resetOffsets: async (request) => {
          calls.push(request);
          return [committed];
        },
      },
    });
    expect(await client.call("FetchOffsets", { group: "g" })).toMatchObject({ offsets: [committed] });
    const partitions = [{ topic: "t", partition: 0 }];
    await client.call("FetchOffsets", { group: "g", partitions });
    expect(await client.call("ResetOffsets", { group: "g", shiftBy: -3 })).toMatchObject({ offsets: [committed] });
    await client.call("ResetOffsets", { group: "g", partitions, position: { time: 7 } });
    await client.call("ResetOffsets", { group: "g", position: { edge: 1 } });
    expect(calls).toMatchObject([
      ["g", undefined],
      ["g", partitions],
      { group: "g", to: { shiftBy: -3 } },
      { group: "g", partitions, to: { time: 7 } },
      { group: "g", to: "earliest" },
    ]);
    const error = await failure(client.call("ResetOffsets", { group: "g" }));
    expect(detailOf(error)).toMatchObject({ code: "INVALID_ARGUMENT", group: "g" });
  });

  test("groups are listed, described and deleted", async () => {
    const description: GroupDescription = {
      group: "g",
      state: "rebalancing",
      groupEpoch: 3,
      assignor: "range",
      members: [
        {
          memberId: "m1",
          memberEpoch: 2,
          instanceId: undefined,
          clientId: "c",
          topics: ["t"],
          assigned: [{ topic: "t", partition: 0 }],
          revoking: [],
          connected: true,
        },
      ],
      partitions: [
        {
          topic: "t",
          partition: 0,
          memberId: "m1",
          committedOffset: undefined,
          metadata: "",
          committedAt: undefined,
          logEndOffset: 8,
          lag: 8,
          lagMs: 12,
        },
      ],
    };
    const deleted: string[] = [];
    const { client } = await home({
      api: {
        listGroups: async () => [{ group: "g", state: "stable", memberCount: 2 }],
        describeGroup: async () => description,
        deleteGroup: async (group) => void deleted.push(group),
      },
    });
    expect(await client.call("ListGroups", {})).toEqual({ groups: [{ group: "g", state: 3, memberCount: 2 }] });
    const described = await client.call("DescribeGroup", { group: "g" });
    expect(described).toMatchObject({ state: 2, assignor: "range", members: [{ instanceId: "", connected: true }] });
    expect(described.partitions).toMatchObject([{ memberId: "m1", logEndOffset: 8, lag: 8, lagMs: 12 }]);
    expect(described.partitions[0].committedOffset).toBeUndefined();
    expect(await client.call("DeleteGroup", { group: "g" })).toEqual({});
    expect(deleted).toEqual(["g"]);
  });
});
