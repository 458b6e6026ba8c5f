/**
 * What a group does about all that came to it in one turn: members that join, go, want other topics
 * or have given partitions up. A pure function of what is known of the group and of the topics that
 * there are: it says the change, and changes nothing.
 *
 * Partitions move cooperatively, as in Kafka's KIP-848. A target says whom each partition is meant
 * for. Who has one that is meant for somebody else is told to give it up, and keeps all others;
 * only when it has done so, or is out, does the next one get it.
 */
import type { AssignorName, TopicPartition } from "@logstore/protocol";
import type { AssignableMember, Target } from "../assignors/assignor.js";
import { assignors } from "../assignors/assignors.js";
import {
  assignmentCount,
  type GroupChange,
  type GroupState,
  type Holding,
  holdingOf,
  holdingsOf,
  type Member,
  NEVER,
} from "../state/group-state.js";
import type { Joining } from "../state/limits.js";
import type { Steps } from "../time/slices.js";
import { inParts } from "./in-parts.js";
import { isWanted, resolveSubscriptions } from "./subscriptions.js";

export type GroupInput =
  | { readonly type: "join"; readonly memberId: string; readonly joining: Joining }
  /** `reason`: why it is out, where it did not leave. */
  | { readonly type: "gone"; readonly memberId: string; readonly reason?: string }
  | { readonly type: "subscribe"; readonly memberId: string; readonly topics: readonly string[] }
  | {
      readonly type: "revoked";
      readonly memberId: string;
      readonly memberEpoch: number;
      readonly partitions: readonly TopicPartition[];
    }
  /**
   * A topic is gone: what was committed of it is forgotten, and no commit for it counts any more,
   * even if it is made anew.
   */
  | { readonly type: "topicDeleted"; readonly topic: string }
  | { readonly type: "topicsChanged" };

export interface GroupTurn {
  /**
   * What is to be written down: nothing, one change, or several for a large group. Each leaves a
   * state in which no partition has two owners: what comes after it may be lost in a crash.
   */
  readonly changes: readonly GroupChange[];
  /** Members that are new or not what they were. */
  readonly members: readonly Member[];
  readonly removed: readonly string[];
  /** Of those that are told what they own now. */
  readonly epoch: number;
  readonly target: Target;
}

/** How many more partitions the group's members own after a turn; negative where they own fewer. */
export function assignmentGrowth({ members: before }: GroupState, { members, removed }: GroupTurn): number {
  let growth = 0;
  for (const memberId of removed) growth -= assignmentCount(before.get(memberId));
  for (const member of members) growth += assignmentCount(member) - assignmentCount(before.get(member.memberId));
  return growth;
}

/** Partitions between two steps. */
const STEP_PARTITIONS = 500;

/**
 * In steps: a group may be large. Commits may be made between them, and nothing else of the group.
 *
 * @param topics those that there are, and how many partitions each has
 */
export function* takeTurn(
  state: GroupState,
  inputs: readonly GroupInput[],
  topics: ReadonlyMap<string, number>,
  at: number,
): Steps<GroupTurn> {
  const draft = new Draft(state);
  for (const input of inputs) yield* draft.take(input);
  const target = yield* draft.targetFor(topics);
  yield* draft.reconcile(target);
  return draft.turn(at, target);
}

class Draft {
  readonly #state: GroupState;
  readonly #epoch: number;
  readonly #members: Map<string, Member>;
  readonly #changed = new Set<string>();
  readonly #removed: string[] = [];
  readonly #forgotten: string[] = [];
  /** Static members that came back under another id. */
  readonly #successors = new Map<string, string>();
  /** Static members by instance, when one was first looked for. */
  #instances: Map<string, string> | undefined;
  /** Members that gain partitions, as they are without them. */
  readonly #beforeGains: Member[] = [];
  #assignor: AssignorName;
  #isStale: boolean;

  constructor(state: GroupState) {
    this.#state = state;
    this.#epoch = state.epoch + 1;
    this.#members = new Map(state.members);
    this.#assignor = state.assignor;
    this.#isStale = state.target === undefined;
  }

  *take(input: GroupInput): Steps {
    yield;
    const { type } = input;
    // Of topics that changed nothing is to be noted: the target is compared with them anyway.
    if (type === "join") this.#join(input.memberId, input.joining);
    else if (type === "gone") this.#remove(input.memberId);
    else if (type === "subscribe") this.#subscribe(input.memberId, input.topics);
    else if (type === "revoked") yield* this.#revoked(input.memberId, input.memberEpoch, input.partitions);
    else if (type === "topicDeleted") yield* this.#topicDeleted(input.topic);
  }

  #join(memberId: string, { assignor, ...said }: Joining): void {
    if (assignor !== undefined && assignor !== this.#assignor) {
      this.#assignor = assignor;
      this.#isStale = true;
    }
    const { instanceId } = said;
    const before = this.#memberOf(instanceId);
    const member: Member = { ...said, memberId, epoch: this.#epoch, holdings: new Map() };
    if (before) {
      this.#succeed(before, member);
      return;
    }
    this.#isStale = true;
    this.#put(member);
  }

  #memberOf(instanceId: string | undefined): Member | undefined {
    if (instanceId === undefined) return undefined;
    if (this.#instances === undefined) {
      this.#instances = new Map();
      for (const member of this.#members.values()) {
        if (member.instanceId !== undefined) this.#instances.set(member.instanceId, member.memberId);
      }
    }
    return this.#members.get(this.#instances.get(instanceId) ?? "");
  }

  /** It takes the place of the old one, with all that this one was to keep. */
  #succeed(before: Member, member: Member): void {
    this.#remove(before.memberId, member.memberId);
    if (String(before.topics) !== String(member.topics)) this.#isStale = true;
    const kept = new HoldingsDraft(member);
    for (const [topic, partitions] of before.holdings) {
      // Of topics that it does not name it is not told: it may not be one who may know of them.
      if (!isWanted(member.topics, topic)) continue;
      for (const [partition, { revokedAt }] of partitions) {
        if (revokedAt === undefined) kept.set(topic, partition, { since: this.#epoch, revokedAt: undefined });
      }
    }
    this.#put(kept.done());
  }

  #remove(memberId: string, successor?: string): void {
    if (!this.#members.delete(memberId)) return;
    if (successor === undefined) this.#isStale = true;
    else this.#successors.set(memberId, successor);
    this.#changed.delete(memberId);
    if (this.#state.members.has(memberId)) this.#removed.push(memberId);
  }

  #subscribe(memberId: string, topics: readonly string[]): void {
    const member = this.#members.get(memberId);
    if (member === undefined || String(member.topics) === String(topics)) return;
    this.#put({ ...member, topics });
    this.#isStale = true;
  }

  *#revoked(memberId: string, memberEpoch: number, partitions: readonly TopicPartition[]): Steps {
    const member = this.#members.get(memberId);
    if (member === undefined) return;
    const kept = new HoldingsDraft(member);
    for (const [i, { topic, partition }] of partitions.entries()) {
      if (i % STEP_PARTITIONS === 0) yield;
      const revokedAt = holdingOf(member, topic, partition)?.revokedAt;
      // An answer to what was said before it was told to give the partition up is none.
      if (revokedAt !== undefined && memberEpoch >= revokedAt) kept.delete(topic, partition);
    }
    if (kept.isChanged) this.#put(kept.done());
  }

  *#topicDeleted(topic: string): Steps {
    this.#forgotten.push(topic);
    for (const member of [...this.#members.values()]) {
      const kept = new HoldingsDraft(member);
      for (const [partition, { revokedAt = this.#epoch }] of member.holdings.get(topic) ?? []) {
        kept.set(topic, partition, { since: NEVER, revokedAt });
      }
      if (kept.isChanged) this.#tell(kept.done());
      yield;
    }
  }

  #put(member: Member): void {
    const { memberId, instanceId } = member;
    this.#members.set(memberId, member);
    if (instanceId !== undefined) this.#instances?.set(instanceId, memberId);
    this.#changed.add(memberId);
  }

  /** It is sent what it owns now, under the new epoch. */
  #tell(member: Member): void {
    this.#put({ ...member, epoch: this.#epoch });
  }

  /** The old one, where it still holds. */
  *targetFor(topics: ReadonlyMap<string, number>): Steps<Target> {
    const wanted = yield* resolveSubscriptions(this.#members.values(), topics);
    const counts = new Map<string, number>();
    for (const ofMember of new Set(wanted.values())) {
      for (const topic of ofMember) counts.set(topic, topics.get(topic)!);
      yield;
    }
    const before = this.#renamedTarget();
    if (!this.#isStale && before !== undefined && hasShape(before, counts)) return before;
    const members = [...this.#members.values()].map(({ memberId, instanceId }): AssignableMember => {
      return { memberId, rank: instanceId ?? memberId, topics: wanted.get(memberId)! };
    });
    const owners = before ?? (yield* this.#owners());
    const current = (topic: string, partition: number) => owners.get(topic)?.[partition];
    return yield* assignors[this.#assignor]({ members, topics: counts, current });
  }

  #renamedTarget(): Target | undefined {
    const { target } = this.#state;
    if (target === undefined || this.#successors.size === 0) return target;
    const renamed = (memberId: string | undefined) => {
      let id = memberId;
      while (id !== undefined && this.#successors.has(id)) id = this.#successors.get(id);
      return id;
    };
    return new Map([...target].map(([topic, owners]) => [topic, owners.map(renamed)]));
  }

  /** Who has what and may keep it. */
  *#owners(): Steps<Target> {
    const owners = new Map<string, string[]>();
    for (const member of this.#members.values()) {
      for (const [topic, partition, { revokedAt }] of holdingsOf(member)) {
        if (revokedAt === undefined) ownersOf(owners, topic)[partition] = member.memberId;
      }
      yield;
    }
    return owners;
  }

  /** Takes back what is meant for others, and gives what is free. */
  *reconcile(target: Target): Steps {
    const taken = new Map<string, string[]>();
    let looks = 0;
    for (const member of [...this.#members.values()]) {
      const kept = new HoldingsDraft(member);
      for (const [topic, partitions] of member.holdings) {
        const takenOfTopic = ownersOf(taken, topic);
        const meant = target.get(topic);
        for (const [partition, holding] of partitions) {
          if (++looks % STEP_PARTITIONS === 0) yield;
          takenOfTopic[partition] = member.memberId;
          if (holding.revokedAt !== undefined || meant?.[partition] === member.memberId) continue;
          kept.set(topic, partition, { ...holding, revokedAt: this.#epoch });
        }
      }
      if (kept.isChanged) this.#tell(kept.done());
      yield;
    }
    yield* this.#giveFree(target, taken);
  }

  *#giveFree(target: Target, taken: Target): Steps {
    const gains = new Map<string, HoldingsDraft>();
    for (const [topic, owners] of target) {
      const takenOfTopic = taken.get(topic);
      for (const [partition, memberId] of owners.entries()) {
        if (partition % STEP_PARTITIONS === 0) yield;
        if (memberId === undefined || takenOfTopic?.[partition] !== undefined) continue;
        let gain = gains.get(memberId);
        if (gain === undefined) {
          const member = this.#members.get(memberId)!;
          if (this.#changed.has(memberId)) this.#beforeGains.push(member);
          gain = new HoldingsDraft(member);
          gains.set(memberId, gain);
        }
        gain.set(topic, partition, { since: this.#epoch, revokedAt: undefined });
      }
    }
    for (const gain of gains.values()) this.#tell(gain.done());
  }

  turn(at: number, target: Target): GroupTurn {
    const members = [...this.#changed].map((memberId) => this.#members.get(memberId)!);
    const changes = this.#changes(at, members);
    return { changes, members, removed: this.#removed, epoch: this.#epoch, target };
  }

  #changes(at: number, members: readonly Member[]): GroupChange[] {
    const { group, owner, assignor, commits } = this.#state;
    // Only now: they may have been made since the turn began.
    const forgotten = this.#forgotten.filter((topic) => commits.has(topic));
    const isSame = members.length === 0 && this.#removed.length === 0 && this.#assignor === assignor;
    if (isSame && forgotten.length === 0) return [];
    const whole = { group, at, owner, epoch: this.#epoch, assignor: this.#assignor };
    const parts = inParts(members);
    if (parts.length <= 1) return [{ ...whole, members, removed: this.#removed, forgotten }];
    const losses = inParts(this.#beforeGains.filter(({ memberId }) => this.#state.members.has(memberId)));
    return [
      { ...whole, removed: this.#removed, forgotten },
      // Two members may each get what the other one had: neither has it before the other one is
      // without it.
      ...[...losses, ...parts].map((some) => ({ ...whole, members: some })),
    ];
  }
}

/** What a member holds, copied where it is changed. */
class HoldingsDraft {
  readonly #member: Member;
  #holdings: Map<string, Map<number, Holding>> | undefined;
  readonly #copied = new Set<string>();

  constructor(member: Member) {
    this.#member = member;
  }

  get isChanged(): boolean {
    return this.#holdings !== undefined;
  }

  set(topic: string, partition: number, holding: Holding): void {
    this.#ofTopic(topic).set(partition, holding);
  }

  delete(topic: string, partition: number): void {
    const ofTopic = this.#ofTopic(topic);
    ofTopic.delete(partition);
    if (ofTopic.size === 0) {
      this.#holdings!.delete(topic);
      this.#copied.delete(topic);
    }
  }

  done(): Member {
    return this.#holdings === undefined ? this.#member : { ...this.#member, holdings: this.#holdings };
  }

  #ofTopic(topic: string): Map<number, Holding> {
    this.#holdings ??= new Map(this.#member.holdings as Map<string, Map<number, Holding>>);
    if (!this.#copied.has(topic)) {
      this.#holdings.set(topic, new Map(this.#holdings.get(topic)));
      this.#copied.add(topic);
    }
    return this.#holdings.get(topic)!;
  }
}

function ownersOf(owners: Map<string, string[]>, topic: string): string[] {
  let ofTopic = owners.get(topic);
  if (ofTopic === undefined) {
    ofTopic = [];
    owners.set(topic, ofTopic);
  }
  return ofTopic;
}

/** Whether a target is one for these topics. */
function hasShape(target: Target, counts: ReadonlyMap<string, number>): boolean {
  if (target.size !== counts.size) return false;
  for (const [topic, count] of counts) if (target.get(topic)?.length !== count) return false;
  return true;
}
