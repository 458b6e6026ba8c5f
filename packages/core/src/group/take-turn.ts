/**
 * What a group does about all that came to it in one turn: members that join, go, want other topics or have given partitions up.
 * A pure function of what is known of the group and of the topics that there are: it says the change, and changes nothing.
 *
 * Partitions move cooperatively, as in Kafka's KIP-848. A target says whom each partition is meant for. Who has one that is meant
 * for somebody else is told to give it up, and keeps all others; only when it has done so, or is out, does the next one get it.
 */
import type { AssignorName, TopicPartition } from "@logstore/protocol";
import type { AssignableMember, Target } from "./assignors/assignor.js";
import { assignors } from "./assignors/assignors.js";
import {
  type GroupChange,
  type GroupState,
  type Holding,
  holdingOf,
  holdingsOf,
  type Member,
  NEVER,
} from "./group-state.js";
import type { Joining } from "./limits.js";
import { resolveSubscriptions } from "./subscriptions.js";

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
  /** A topic is gone: what was committed of it is forgotten, and no commit for it counts any more, even if it is made anew. */
  | { readonly type: "topicDeleted"; readonly topic: string }
  | { readonly type: "topicsChanged" };

export interface GroupTurn {
  /** Undefined where there is nothing to write down. */
  readonly change: GroupChange | undefined;
  readonly target: Target;
}

/** @param topics those that there are, and how many partitions each has */
export function takeTurn(
  state: GroupState,
  inputs: readonly GroupInput[],
  topics: ReadonlyMap<string, number>,
  at: number,
): GroupTurn {
  const draft = new Draft(state);
  for (const input of inputs) draft.take(input);
  const target = draft.targetFor(topics);
  draft.reconcile(target);
  return { change: draft.change(at), target };
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
  #assignor: AssignorName;
  #isStale: boolean;

  constructor(state: GroupState) {
    this.#state = state;
    this.#epoch = state.epoch + 1;
    this.#members = new Map(state.members);
    this.#assignor = state.assignor;
    this.#isStale = state.target === undefined;
  }

  take(input: GroupInput): void {
    const { type } = input;
    // Of topics that changed nothing is to be noted: the target is compared with them anyway.
    if (type === "join") this.#join(input.memberId, input.joining);
    else if (type === "gone") this.#remove(input.memberId);
    else if (type === "subscribe") this.#subscribe(input.memberId, input.topics);
    else if (type === "revoked") this.#revoked(input.memberId, input.memberEpoch, input.partitions);
    else if (type === "topicDeleted") this.#topicDeleted(input.topic);
  }

  #join(memberId: string, { assignor, ...said }: Joining): void {
    if (assignor !== undefined && assignor !== this.#assignor) {
      this.#assignor = assignor;
      this.#isStale = true;
    }
    const { instanceId } = said;
    const before = instanceId && [...this.#members.values()].find((member) => member.instanceId === instanceId);
    const member: Member = { ...said, memberId, epoch: this.#epoch, holdings: new Map() };
    if (before) {
      this.#succeed(before, member);
      return;
    }
    this.#isStale = true;
    this.#put(member);
  }

  /** It takes the place of the old one, with all that this one was to keep. */
  #succeed(before: Member, member: Member): void {
    this.#remove(before.memberId, member.memberId);
    if (String(before.topics) !== String(member.topics)) this.#isStale = true;
    const kept = new HoldingsDraft(member);
    for (const [topic, partition, { revokedAt }] of holdingsOf(before)) {
      if (revokedAt === undefined) kept.set(topic, partition, { since: this.#epoch, revokedAt: undefined });
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

  #revoked(memberId: string, memberEpoch: number, partitions: readonly TopicPartition[]): void {
    const member = this.#members.get(memberId);
    if (member === undefined) return;
    const kept = new HoldingsDraft(member);
    for (const { topic, partition } of partitions) {
      const revokedAt = holdingOf(member, topic, partition)?.revokedAt;
      // An answer to what was said before it was told to give the partition up is none.
      if (revokedAt !== undefined && memberEpoch >= revokedAt) kept.delete(topic, partition);
    }
    if (kept.isChanged) this.#put(kept.done());
  }

  #topicDeleted(topic: string): void {
    if (this.#state.commits.has(topic)) this.#forgotten.push(topic);
    for (const member of [...this.#members.values()]) {
      const kept = new HoldingsDraft(member);
      for (const [partition, { revokedAt = this.#epoch }] of member.holdings.get(topic) ?? []) {
        kept.set(topic, partition, { since: NEVER, revokedAt });
      }
      if (kept.isChanged) this.#tell(kept.done());
    }
  }

  #put(member: Member): void {
    this.#members.set(member.memberId, member);
    this.#changed.add(member.memberId);
  }

  /** It is sent what it owns now, under the new epoch. */
  #tell(member: Member): void {
    this.#put({ ...member, epoch: this.#epoch });
  }

  /** The old one, where it still holds. */
  targetFor(topics: ReadonlyMap<string, number>): Target {
    const wanted = resolveSubscriptions(this.#members.values(), topics);
    const counts = new Map<string, number>();
    for (const ofMember of new Set(wanted.values())) {
      for (const topic of ofMember) counts.set(topic, topics.get(topic)!);
    }
    const before = this.#renamedTarget();
    if (!this.#isStale && before !== undefined && hasShape(before, counts)) return before;
    const members = [...this.#members.values()].map(({ memberId, instanceId }): AssignableMember => {
      return { memberId, rank: instanceId ?? memberId, topics: wanted.get(memberId)! };
    });
    const owners = before ?? this.#owners();
    const current = (topic: string, partition: number) => owners.get(topic)?.[partition];
    return assignors[this.#assignor]({ members, topics: counts, current });
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
  #owners(): Target {
    const owners = new Map<string, string[]>();
    for (const member of this.#members.values()) {
      for (const [topic, partition, { revokedAt }] of holdingsOf(member)) {
        if (revokedAt === undefined) ownersOf(owners, topic)[partition] = member.memberId;
      }
    }
    return owners;
  }

  /** Takes back what is meant for others, and gives what is free. */
  reconcile(target: Target): void {
    const taken = new Map<string, string[]>();
    for (const member of [...this.#members.values()]) {
      const kept = new HoldingsDraft(member);
      for (const [topic, partition, holding] of holdingsOf(member)) {
        ownersOf(taken, topic)[partition] = member.memberId;
        if (holding.revokedAt !== undefined || target.get(topic)?.[partition] === member.memberId) continue;
        kept.set(topic, partition, { ...holding, revokedAt: this.#epoch });
      }
      if (kept.isChanged) this.#tell(kept.done());
    }
    const gains = new Map<string, HoldingsDraft>();
    for (const [topic, owners] of target) {
      const takenOfTopic = taken.get(topic);
      for (const [partition, memberId] of owners.entries()) {
        if (memberId === undefined || takenOfTopic?.[partition] !== undefined) continue;
        let gain = gains.get(memberId);
        if (gain === undefined) {
          gain = new HoldingsDraft(this.#members.get(memberId)!);
          gains.set(memberId, gain);
        }
        gain.set(topic, partition, { since: this.#epoch, revokedAt: undefined });
      }
    }
    for (const gain of gains.values()) this.#tell(gain.done());
  }

  change(at: number): GroupChange | undefined {
    const { group, owner } = this.#state;
    const members = [...this.#changed].map((memberId) => this.#members.get(memberId)!);
    const isSame = members.length === 0 && this.#removed.length === 0 && this.#assignor === this.#state.assignor;
    if (isSame && this.#forgotten.length === 0) return undefined;
    return {
      group,
      at,
      owner,
      epoch: this.#epoch,
      assignor: this.#assignor,
      members,
      removed: this.#removed,
      forgotten: this.#forgotten,
    };
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
