import type { AssignorName } from "@logstore/protocol";
import { expect, test } from "vitest";
import { apply, type GroupState, type Holding, holdingsOf, NEVER, newGroup } from "../state/group-state.js";
import { toEnd } from "../time/slices.js";
import type { GroupInput } from "./group-turn.js";
import { takeTurn } from "./take-turn.js";

/** A group with its topics, and the results of its turns. */
class Group {
  readonly topics = new Map([["t", 4]]);
  readonly #groups = new Map<string, GroupState>();
  readonly inputs: GroupInput[] = [];

  get state(): GroupState {
    return this.#groups.get("g")!;
  }

  join(memberId: string, more: { topics?: string[]; instanceId?: string; assignor?: AssignorName } = {}): void {
    const { topics = ["t"], instanceId, assignor } = more;
    const joining = { topics, instanceId, assignor, clientId: "", sessionTimeoutMs: 1000, revokeTimeoutMs: 1000 };
    this.inputs.push({ type: "join", memberId, joining });
  }

  turn(...inputs: GroupInput[]): boolean {
    const state = this.state ?? newGroup("g");
    const { changes, target } = toEnd(takeTurn(state, [...this.inputs.splice(0), ...inputs], new Map(this.topics), 1));
    for (const change of changes) {
      apply(this.#groups, change);
      this.#expectOneOwnerEach(); // a crash may lose the changes after it
    }
    this.state.target = target;
    return changes.length > 0;
  }

  #expectOneOwnerEach(): void {
    const held = [...this.state.members.values()].flatMap((member) =>
      [...holdingsOf(member)].map(([topic, partition]) => `${topic} ${partition}`),
    );
    expect(new Set(held).size).toBe(held.length);
  }

  revoked(memberId: string, memberEpoch: number, ...partitions: number[]): GroupInput {
    return {
      type: "revoked",
      memberId,
      memberEpoch,
      partitions: partitions.map((partition) => ({ topic: "t", partition })),
    };
  }

  /** "0 1 (2)": its partitions; those to be revoked are in parentheses. */
  holds(memberId: string): string {
    const held = [...holdingsOf(this.state.members.get(memberId)!)];
    const said = held.map(([topic, partition, { revokedAt }]) => {
      const name = topic === "t" ? `${partition}` : `${topic}${partition}`;
      return revokedAt === undefined ? name : `(${name})`;
    });
    return said.sort().join(" ");
  }

  epoch(memberId: string): number {
    return this.state.members.get(memberId)!.epoch;
  }
}

test("members that join in the same turn get an even assignment at once", () => {
  const group = new Group();
  group.join("a");
  group.join("b");
  group.turn();
  expect([group.holds("a"), group.holds("b")]).toEqual(["0 2", "1 3"]);
  expect([group.state.epoch, group.epoch("a"), group.epoch("b")]).toEqual([1, 1, 1]);
});

test("only partitions that move are revoked, and they move once revoked", () => {
  const group = new Group();
  group.join("a");
  group.turn();
  group.join("b");
  group.turn();
  expect([group.holds("a"), group.holds("b")]).toEqual(["(2) (3) 0 1", ""]);
  group.turn(group.revoked("a", 2, 3));
  expect([group.holds("a"), group.holds("b")]).toEqual(["(2) 0 1", "3"]);
  expect([group.epoch("a"), group.epoch("b")]).toEqual([2, 3]); // nothing changed for a
  group.turn(group.revoked("a", 2, 2));
  expect([group.holds("a"), group.holds("b")]).toEqual(["0 1", "2 3"]);
  expect(group.turn()).toBe(false);
});

test("a confirmation sent before the revocation is ignored", () => {
  const group = new Group();
  group.join("a");
  group.turn();
  group.join("b");
  group.turn();
  expect(group.turn(group.revoked("a", 1, 2, 3))).toBe(false);
  expect(group.turn(group.revoked("a", 2, 0))).toBe(false); // nor is one for a partition that it keeps
  expect(group.holds("a")).toBe("(2) (3) 0 1");
});

test("a partition that is assigned to its owner again is revoked first, then assigned anew", () => {
  const group = new Group();
  group.join("a");
  group.turn();
  group.join("b");
  group.turn();
  group.turn({ type: "gone", memberId: "b" });
  expect(group.holds("a")).toBe("(2) (3) 0 1");
  group.turn(group.revoked("a", 2, 2, 3));
  expect(group.holds("a")).toBe("0 1 2 3");
  expect(group.state.members.get("a")!.holdings.get("t")!.get(2)).toEqual({ since: 4, revokedAt: undefined });
});

test("all partitions of a removed member go to the others at once", () => {
  const group = new Group();
  group.join("a");
  group.join("b");
  group.turn();
  group.turn({ type: "gone", memberId: "b" });
  expect(group.holds("a")).toBe("0 1 2 3");
});

test("a static member gets its place and partitions back, and no other member is affected", () => {
  const group = new Group();
  group.join("a", { instanceId: "one" });
  group.join("b", { instanceId: "two" });
  group.turn();
  const [before, of] = [group.holds("a"), group.holds("b")];
  group.join("z", { instanceId: "one" });
  group.turn();
  expect([...group.state.members.keys()].sort()).toEqual(["b", "z"]);
  expect([group.holds("z"), group.holds("b")]).toEqual([before, of]);
  expect([group.epoch("z"), group.epoch("b")]).toEqual([2, 1]);
  expect(group.state.members.get("z")!.holdings.get("t")!.get(0)).toEqual({ since: 2, revokedAt: undefined });
  expect(group.turn()).toBe(false);
});

test("a static member gets its own partitions back, even if another assignment were as good", () => {
  const group = new Group();
  group.topics.set("t", 5);
  group.join("m", { instanceId: "one" });
  group.join("x");
  group.turn();
  group.join("a");
  group.turn();
  group.turn(group.revoked("m", 2, 4), group.revoked("x", 2, 3));
  const before = [group.holds("m"), group.holds("x"), group.holds("a")];
  expect(group.holds("a")).toHaveLength(1);
  group.join("z", { instanceId: "one" });
  group.turn();
  expect([group.holds("z"), group.holds("x"), group.holds("a")]).toEqual(before);
});

test("the successor of a static member does not have to finish its revocations", () => {
  const group = new Group();
  group.join("a", { instanceId: "one" });
  group.turn();
  group.join("b");
  group.turn();
  group.join("z", { instanceId: "one" });
  group.turn();
  expect([group.holds("z"), group.holds("b")]).toEqual(["0 1", "2 3"]);
});

test("of two joins with the same instance id in one turn, the later one stays", () => {
  const group = new Group();
  group.join("a", { instanceId: "one" });
  group.join("b", { instanceId: "one" });
  group.turn();
  expect([...group.state.members.keys()]).toEqual(["b"]);
  expect(group.holds("b")).toBe("0 1 2 3");
});

test("a pattern matches topics created later, but not parking topics", () => {
  const group = new Group();
  group.join("a", { topics: ["t*"] });
  group.turn();
  group.topics.set("tea", 1);
  group.topics.set("t.g.parked", 1);
  group.topics.set("other", 1);
  group.turn({ type: "topicsChanged" });
  expect(group.holds("a")).toBe("0 1 2 3 tea0");
  group.turn({ type: "subscribe", memberId: "a", topics: ["*.parked", "*e*a"] });
  expect(group.holds("a")).toBe("(0) (1) (2) (3) t.g.parked0 tea0");
});

test("a member that changes its subscription revokes the old topics", () => {
  const group = new Group();
  group.topics.set("other", 1);
  group.join("a");
  group.turn();
  group.turn({ type: "subscribe", memberId: "a", topics: ["other", "missing"] });
  expect(group.holds("a")).toBe("(0) (1) (2) (3) other0");
  expect(group.turn({ type: "subscribe", memberId: "a", topics: ["other", "missing"] })).toBe(false);
});

test("a deleted and recreated topic is revoked first, and its owner can no longer commit it", () => {
  const group = new Group();
  group.join("a");
  group.turn();
  group.turn({ type: "topicDeleted", topic: "t" });
  expect(group.holds("a")).toBe("(0) (1) (2) (3)");
  expect(group.state.members.get("a")!.holdings.get("t")!.get(0)).toEqual({ since: NEVER, revokedAt: 2 });
  group.turn(group.revoked("a", 2, 0, 1, 2, 3));
  expect(group.holds("a")).toBe("0 1 2 3");
  expect(group.state.members.get("a")!.holdings.get("t")!.get(0)!.since).toBe(3);
});

test("a large group is written in parts, and no partition has two owners after any of them", () => {
  const group = new Group();
  group.topics.set("t", 9_000);
  for (const memberId of ["a", "b"]) group.join(memberId, { assignor: "range" });
  group.turn();
  group.join("c", { assignor: "round-robin" });
  group.turn();
  const givenUp = (memberId: string) => {
    const held = [...holdingsOf(group.state.members.get(memberId)!)];
    const partitions = held.flatMap(([, partition, { revokedAt }]) => (revokedAt === undefined ? [] : [partition]));
    expect(partitions).toHaveLength(3_000);
    return group.revoked(memberId, group.epoch(memberId), ...partitions);
  };
  group.turn(givenUp("a"), givenUp("b")); // each gets some partitions of the other
  for (const member of group.state.members.values()) expect([...holdingsOf(member)]).toHaveLength(3_000);
});

test("the last assignor requested is used", () => {
  const group = new Group();
  group.topics.set("u", 4);
  for (const memberId of ["a", "b"]) group.join(memberId, { topics: ["t", "u"], assignor: "range" });
  group.turn();
  expect([group.holds("a"), group.holds("b")]).toEqual(["0 1 u0 u1", "2 3 u2 u3"]);
  group.join("c", { topics: ["t", "u"] });
  group.turn();
  expect(group.state.assignor).toBe("range");
  group.join("d", { topics: ["t", "u"], assignor: "round-robin" });
  group.turn();
  expect(group.state.assignor).toBe("round-robin");
});

test("after a recovery, a partition being revoked is not kept in place of another", () => {
  const group = new Group();
  group.join("a");
  group.turn();
  group.join("b");
  group.turn();
  group.turn(group.revoked("a", 2, 3));
  // As if 0, instead of 2, had been assigned to b.
  const a = group.state.members.get("a")!;
  const holdings = new Map<number, Holding>([
    [0, { since: 1, revokedAt: 2 }],
    [1, { since: 1, revokedAt: undefined }],
    [2, { since: 1, revokedAt: undefined }],
  ]);
  group.state.members.set("a", { ...a, holdings: new Map([["t", holdings]]) });
  group.state.target = undefined;
  expect(group.turn({ type: "topicsChanged" })).toBe(false);
  expect([group.holds("a"), group.holds("b")]).toEqual(["(0) 1 2", "3"]);
});

test("after a recovery all members keep their partitions", () => {
  const group = new Group();
  for (const memberId of ["a", "b", "c"]) group.join(memberId);
  group.turn();
  group.state.target = undefined;
  expect(group.turn({ type: "topicsChanged" })).toBe(false);
});

test("the successor of a static member gets no partitions of topics to which it does not subscribe", () => {
  const group = new Group();
  group.topics.set("secret", 2);
  group.join("a", { topics: ["t", "secret"], instanceId: "i" });
  group.turn();
  group.join("b", { topics: ["t"], instanceId: "i" });
  group.turn();
  expect(group.holds("b")).toBe("0 1 2 3");
});
