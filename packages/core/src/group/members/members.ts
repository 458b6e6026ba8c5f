/**
 * The members of all groups. Their messages are collected for a turn, decided together and written;
 * members are told the result only when it is durable, so that nobody acts on what a crash could
 * undo.
 */
import { callAll, FencedMemberError, type LogStoreError, QuotaExceededError } from "@logstore/codec";
import type { TopicPartition } from "@logstore/protocol";
import { assignmentGrowth, type GroupInput, type GroupTurn } from "../decide/group-turn.js";
import { takeTurn } from "../decide/take-turn.js";
import type { Journal } from "../journal/journal.js";
import { type GroupState, type Member, newGroup } from "../state/group-state.js";
import type { GroupTopics } from "../state/group-topics.js";
import { checkJoin, checkSubscriptions, type Joining, MAX_MEMBERS } from "../state/limits.js";
import { AttentiveClock, type Clock } from "../time/clock.js";
import { Slices, type Steps } from "../time/slices.js";
import { Watch } from "../time/watch.js";
import { Inbox } from "./inbox.js";
import type { Membership, Memberships } from "./membership.js";
import { assignmentOf, type MemberNews, welcome, welcomeBack } from "./news.js";
import { deadlineOf, isConnected, newSession, noteRevoking, type Session } from "./session.js";

export class Members implements Memberships {
  readonly #journal: Journal;
  readonly #topics: GroupTopics;
  readonly #newId: () => string;
  readonly #slices: Slices;
  readonly #clock: AttentiveClock;
  readonly #watch: Watch;
  /**
   * Sessions of members, and of those whose join is being decided, by group and member id; see
   * {@link keyOf}.
   */
  readonly #sessions = new Map<string, Session>();
  readonly #inboxes = new Map<string, Inbox>();
  /** The turn in progress. */
  #deciding: { readonly group: string; readonly inbox: Inbox } | undefined;
  /**
   * The partition counts as of their last retrieval: the same map as long as they are unchanged.
   */
  #counts: ReadonlyMap<string, number> = new Map();
  #countedIn: number | undefined;

  constructor(journal: Journal, topics: GroupTopics, newId: () => string, clock: Clock) {
    this.#journal = journal;
    this.#topics = topics;
    this.#newId = newId;
    this.#slices = new Slices(clock);
    this.#clock = new AttentiveClock(clock);
    this.#watch = new Watch(this.#clock, (now) => this.#look(now));
  }

  /** Members from before the restart have their session timeout to rejoin. */
  *recover(): Steps {
    const now = this.#clock.now();
    for (const { group, members } of this.#journal.groups.values()) {
      for (const [memberId, member] of members) {
        const session = newSession(group, memberId, now, undefined);
        this.#sessions.set(keyOf(group, memberId), session);
        this.#noteHoldings(session, member, now);
        yield;
      }
    }
  }

  isConnected(group: string, memberId: string): boolean {
    return isConnected(this.#session(group, memberId));
  }

  /** A member has used an epoch, and therefore knows it. */
  showsEpoch(group: string, memberId: string, memberEpoch: number): void {
    const session = this.#session(group, memberId);
    if (session !== undefined) session.heardEpoch = Math.max(session.heardEpoch, memberEpoch);
  }

  /** Runs tasks on groups one after another, each to completion: no input is decided in between. */
  run<Result>(steps: Steps<Result>): Promise<Awaited<Result>> {
    return this.#slices.run(steps);
  }

  /** Tells a member the news once they are durable; if that fails, it is told of the failure. */
  tell(group: string, memberId: string, news: MemberNews, durable: Promise<void>): void {
    const membership = this.#welcomed(group, memberId, news);
    if (membership !== undefined) this.#whenDurable([tellingOf(membership, news)], durable);
  }

  /** Adds an input of a group, which is processed at the end of this turn of the event loop. */
  input(group: string, input: GroupInput, owner?: string): Inbox {
    let inbox = this.#inboxes.get(group);
    if (inbox === undefined) {
      inbox = new Inbox(owner);
      this.#inboxes.set(group, inbox);
      this.#slices.add(this.#turn(group));
    }
    inbox.add(input);
    return inbox;
  }

  /** Takes all pending turns synchronously. */
  takeTurns(): void {
    this.#slices.finish();
  }

  /** Resolves when all pending turns have been taken. */
  turnsTaken(): Promise<void> {
    return this.#slices.drain();
  }

  /** Groups become unavailable. */
  fail(error: LogStoreError): void {
    this.#watch.stop();
    for (const { membership } of this.#sessions.values()) membership?.fail(error);
    for (const inbox of this.#inboxes.values()) inbox.settle(Promise.reject(error));
    this.#inboxes.clear();
  }

  // Messages of members

  begin(membership: Membership): void {
    this.#journal.check();
    const { request } = membership;
    const joining = checkJoin(request);
    const { group, memberId = this.#newId(), memberEpoch = 0 } = request;
    const session = this.#session(group, memberId);
    // Epoch 0: the client has not received a response to its join yet, and joins for the first time
    // or again.
    if (memberEpoch > 0 || this.#member(group, memberId) !== undefined) {
      this.#goOn(membership, memberId, memberEpoch, joining.topics);
    } else if (session !== undefined) {
      const release = this.#holdSubscriptions(group, memberId, joining.topics);
      this.#replace(session, membership, memberId);
      this.input(group, { type: "subscribe", memberId, topics: joining.topics }).holds.push(release);
    } else {
      const release = this.#holdJoin(group, joining, membership.principal);
      membership.memberId = memberId;
      this.#sessions.set(keyOf(group, memberId), newSession(group, memberId, this.#clock.now(), membership));
      this.input(group, { type: "join", memberId, joining }, membership.principal).holds.push(release);
    }
  }

  heard(membership: Membership): void {
    const session = this.#sessionOf(membership);
    if (session !== undefined) session.heardAt = this.#clock.now();
  }

  revoked(membership: Membership, memberEpoch: number, partitions: readonly TopicPartition[]): void {
    this.heard(membership);
    const session = this.#sessionOf(membership);
    if (session === undefined || this.#journal.failure !== undefined) return;
    const memberId = membership.memberId!;
    const member = this.#member(session.group, memberId);
    if (member === undefined || memberEpoch > member.epoch) return; // the member cannot have been sent this epoch
    this.showsEpoch(session.group, memberId, memberEpoch);
    this.input(session.group, { type: "revoked", memberId, memberEpoch, partitions });
  }

  subscribe(membership: Membership, topics: readonly string[]): void {
    const wanted = checkSubscriptions(topics);
    this.heard(membership);
    const session = this.#sessionOf(membership);
    if (session === undefined || this.#journal.failure !== undefined) return;
    const { group, memberId } = session;
    const release = this.#holdSubscriptions(group, memberId, wanted);
    this.input(group, { type: "subscribe", memberId, topics: wanted }).holds.push(release);
  }

  async leave(membership: Membership): Promise<void> {
    const session = this.#sessionOf(membership);
    if (session === undefined) return;
    this.#journal.check();
    await this.input(session.group, { type: "gone", memberId: membership.memberId! }).done();
  }

  #goOn(membership: Membership, memberId: string, memberEpoch: number, topics: readonly string[]): void {
    const { group } = membership.request;
    const member = this.#member(group, memberId);
    const session = this.#session(group, memberId);
    if (member === undefined || session === undefined) throw fenced(group, memberId, "is no member any more");
    if (memberEpoch < session.heardEpoch || memberEpoch > member.epoch) {
      throw fenced(
        group,
        memberId,
        `came back with epoch ${memberEpoch}, and had ${session.heardEpoch} or a later one`,
      );
    }
    const release = this.#holdSubscriptions(group, memberId, topics);
    this.#replace(session, membership, memberId);
    session.heardEpoch = memberEpoch;
    const inbox = this.input(group, { type: "subscribe", memberId, topics });
    inbox.rejoined.set(memberId, memberEpoch);
    inbox.holds.push(release);
  }

  /** The member continues with another membership. */
  #replace(session: Session, membership: Membership, memberId: string): void {
    session.membership?.finish();
    membership.memberId = memberId;
    session.membership = membership;
    session.heardAt = this.#clock.now();
  }

  // Turns

  *#turn(group: string): Steps {
    const inbox = this.#inboxes.get(group);
    this.#inboxes.delete(group);
    if (inbox === undefined || this.#journal.failure !== undefined) return;
    this.#deciding = { group, inbox };
    try {
      yield* this.#takeTurn(group, inbox);
    } catch (error) {
      this.#abandon(group, inbox, error);
    } finally {
      this.#deciding = undefined;
      callAll(inbox.holds);
    }
  }

  *#takeTurn(group: string, inbox: Inbox): Steps {
    const { groups } = this.#journal;
    const before = groups.get(group) ?? newGroup(group, inbox.owner);
    const turn = yield* this.#decide(before, inbox);
    let written: Promise<void> | undefined;
    for (const change of turn.changes) {
      written = this.#journal.append([change]);
      written.catch(() => {}); // the last promise reports the error
      if (turn.changes.length > 1) yield;
    }
    const durable = written ?? this.#journal.append([]);
    durable.catch(() => {}); // reported to whoever waits
    const state = groups.get(group);
    const tellings = this.#dismiss(group, inbox, turn);
    if (state !== undefined) {
      state.target = turn.target;
      yield* this.#tellMembers(state, inbox, turn, tellings);
    }
    this.#whenDurable(tellings, durable);
    inbox.settle(durable);
  }

  /**
   * If there is no room for the partitions of new members or subscriptions, these are refused, and
   * the rest is decided without them.
   */
  *#decide(before: GroupState, inbox: Inbox): Steps<GroupTurn> {
    const { group, owner } = before;
    const turn = yield* takeTurn(before, inbox.inputs, this.#topicCounts(), this.#journal.now());
    const assignments = assignmentGrowth(before, turn);
    const asking = inbox.inputs.filter((input) => this.#asksForMore(group, input));
    if (assignments <= 0 || asking.length === 0) return turn;
    try {
      inbox.holds.push(this.#journal.totals.hold(owner, group, { assignments }));
      return turn;
    } catch (error) {
      this.#refuse(group, asking, error);
      inbox.inputs = inbox.inputs.filter((input) => !asking.includes(input));
      return yield* takeTurn(before, inbox.inputs, this.#topicCounts(), this.#journal.now());
    }
  }

  #asksForMore(group: string, input: GroupInput): boolean {
    if (input.type === "join") return true;
    if (input.type !== "subscribe") return false;
    return String(this.#member(group, input.memberId)?.topics) !== String(input.topics);
  }

  #topicCounts(): ReadonlyMap<string, number> {
    const { number } = this.#slices;
    if (this.#countedIn === number) return this.#counts;
    this.#countedIn = number;
    const counts = this.#topics.counts();
    if (!isSame(counts, this.#counts)) this.#counts = counts;
    return this.#counts;
  }

  /**
   * A turn that cannot be written is not taken: the members that sent its inputs are told, and
   * others are not affected.
   */
  #abandon(group: string, inbox: Inbox, error: unknown): void {
    const state = this.#journal.groups.get(group);
    if (state !== undefined) state.target = undefined; // some of the changes may have been written
    this.#refuse(group, inbox.inputs, error);
    inbox.settle(Promise.reject(error));
  }

  #refuse(group: string, inputs: readonly GroupInput[], error: unknown): void {
    for (const input of inputs) {
      if (!("memberId" in input)) continue;
      const { memberId } = input;
      this.#session(group, memberId)?.membership?.fail(error);
      if (this.#member(group, memberId) === undefined) this.#sessions.delete(keyOf(group, memberId));
    }
  }

  /** Tells removed members that they are removed. */
  #dismiss(group: string, { inputs }: Inbox, { removed }: GroupTurn): Telling[] {
    const out = new Map(removed.map((memberId) => [memberId, "gave its place to another with its instance id"]));
    const left = new Set<string>();
    for (const input of inputs) {
      if (input.type === "join" && this.#member(group, input.memberId) === undefined)
        out.set(input.memberId, "is out already");
      if (input.type !== "gone") continue;
      if (input.reason === undefined) left.add(input.memberId);
      else out.set(input.memberId, input.reason);
    }
    return [...out].flatMap(([memberId, reason]) => {
      const membership = this.#session(group, memberId)?.membership;
      this.#sessions.delete(keyOf(group, memberId));
      if (membership === undefined) return [];
      const tell = () => {
        if (left.has(memberId)) membership.finish();
        else membership.fail(fenced(group, memberId, reason));
      };
      return { tell, partitions: 0 };
    });
  }

  /** Collects what members must be told. */
  *#tellMembers(state: GroupState, inbox: Inbox, turn: GroupTurn, tellings: Telling[]): Steps {
    const { group } = state;
    const joined = new Set(inbox.inputs.flatMap((input) => (input.type === "join" ? [input.memberId] : [])));
    const add = (memberId: string, news: MemberNews) => {
      const membership = this.#welcomed(group, memberId, news);
      if (membership !== undefined) tellings.push(tellingOf(membership, news));
    };
    for (const member of turn.members) {
      yield;
      const { memberId } = member;
      this.#noteHoldings(this.#session(group, memberId)!, member, this.#clock.now());
      if (joined.has(memberId)) add(memberId, welcome(state, member, this.#idOf));
      else if (member.epoch === turn.epoch && !inbox.rejoined.has(memberId)) {
        add(memberId, { assignment: assignmentOf(state, member, this.#idOf) });
      }
    }
    for (const [memberId, knownEpoch] of inbox.rejoined) {
      yield;
      const member = state.members.get(memberId);
      if (member !== undefined) add(memberId, welcomeBack(state, member, knownEpoch, this.#idOf));
    }
  }

  /**
   * The membership to be told; undefined if its own turn is yet to come, in which it is told
   * everything.
   */
  #welcomed(group: string, memberId: string, { joined }: MemberNews): Membership | undefined {
    const membership = this.#session(group, memberId)?.membership;
    if (membership === undefined) return undefined;
    if (joined !== undefined) membership.isWelcome = true;
    return membership.isWelcome ? membership : undefined;
  }

  #whenDurable(tellings: readonly Telling[], durable: Promise<void>): void {
    if (tellings.length === 0) return;
    durable.then(
      () => this.#slices.add(eachInTurn(tellings)),
      () => {},
    );
  }

  // Deadlines

  #noteHoldings(session: Session, member: Member, now: number): void {
    noteRevoking(session, member, now);
    this.#watch.by(deadlineOf(session, member).at);
  }

  /** Removes members whose deadline has passed. Returns the next deadline. */
  #look(now: number): number | undefined {
    let next: number | undefined;
    for (const session of this.#sessions.values()) {
      const { group, memberId } = session;
      const member = this.#member(group, memberId);
      if (member === undefined) continue; // its join is being decided
      const { at, reason } = deadlineOf(session, member);
      if (at <= now) this.input(group, { type: "gone", memberId, reason });
      else next = Math.min(next ?? at, at);
    }
    return next;
  }

  // Helpers

  readonly #idOf = (topic: string) => this.#topics.id(topic);

  #member(group: string, memberId: string): Member | undefined {
    return this.#journal.groups.get(group)?.members.get(memberId);
  }

  #session(group: string, memberId: string): Session | undefined {
    return this.#sessions.get(keyOf(group, memberId));
  }

  /** Undefined if the member was removed or continues with another membership. */
  #sessionOf(membership: Membership): Session | undefined {
    const session = this.#session(membership.request.group, membership.memberId ?? "");
    return session?.membership === membership ? session : undefined;
  }

  /**
   * Counts what a join adds, until it is decided. A static member that rejoins takes its existing
   * place.
   *
   * @throws QuotaExceededError, GroupLimitExceededError
   */
  #holdJoin(group: string, { instanceId, topics }: Joining, principal: string | undefined): () => void {
    const state = this.#journal.groups.get(group);
    const inbox = this.#inboxes.get(group);
    const deciding = this.#deciding?.group === group ? this.#deciding.inbox : undefined;
    let before: Member | undefined;
    if (instanceId !== undefined) {
      for (const member of state?.members.values() ?? []) if (member.instanceId === instanceId) before = member;
    }
    const count = (state?.members.size ?? 0) + (inbox?.joinCount ?? 0) + (deciding?.joinCount ?? 0);
    if (before === undefined && count >= MAX_MEMBERS) {
      throw new QuotaExceededError(`group ${group} has ${MAX_MEMBERS} members, and takes no more`, {
        group,
        expected: MAX_MEMBERS,
        actual: count,
      });
    }
    const growth = {
      groups: state === undefined && inbox === undefined && deciding === undefined ? 1 : 0,
      members: before === undefined ? 1 : 0,
      subscriptions: topics.length - (before?.topics.length ?? 0),
    };
    const owner = state === undefined ? (deciding?.owner ?? inbox?.owner ?? principal) : state.owner;
    return this.#journal.totals.hold(owner, group, growth);
  }

  /** @throws GroupLimitExceededError */
  #holdSubscriptions(group: string, memberId: string, topics: readonly string[]): () => void {
    const state = this.#journal.groups.get(group);
    const subscriptions = topics.length - (state?.members.get(memberId)?.topics.length ?? 0);
    const owner = state === undefined ? this.#inboxes.get(group)?.owner : state.owner;
    return this.#journal.totals.hold(owner, group, { subscriptions });
  }
}

/** A message to a member. */
interface Telling {
  readonly tell: () => void;
  /** Number of partitions in the message. */
  readonly partitions: number;
}

function tellingOf(membership: Membership, news: MemberNews): Telling {
  const { assignment, resets } = news;
  const partitions = assignment.partitions.length + assignment.revoking.length + (resets?.offsets.length ?? 0);
  return { tell: () => membership.tell(news), partitions };
}

/**
 * Members encode and send their messages before the next turn of the event loop, which costs more
 * than creating them. After this many partitions other work runs. Each message counts as several
 * partitions, however few it contains.
 */
const TOLD_A_TURN = 5_000;
const LEAST_TOLD = 100;

function* eachInTurn(tellings: readonly Telling[]): Steps {
  let told = 0;
  for (const { tell, partitions } of tellings) {
    tell();
    told += Math.max(partitions, LEAST_TOLD);
    yield told < TOLD_A_TURN ? undefined : "turn";
    if (told >= TOLD_A_TURN) told = 0;
  }
}

function isSame(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a.size !== b.size) return false;
  for (const [topic, count] of a) if (b.get(topic) !== count) return false;
  return true;
}

/**
 * Group names contain no slash, so that the key is unambiguous although clients choose member ids.
 */
function keyOf(group: string, memberId: string): string {
  return `${group}/${memberId}`;
}

function fenced(group: string, memberId: string, why: string): FencedMemberError {
  return new FencedMemberError(`member ${memberId} ${why}: join group ${group} anew`, { group });
}
