/**
 * Consumer groups: who reads which partitions, and how far they are. Decisions are taken by pure functions on what is known,
 * written down, and told to the members once they are durable: nobody acts on what a crash could undo.
 */
import {
  ClosedError,
  FencedMemberError,
  GroupNotEmptyError,
  LogStoreError,
  QuotaExceededError,
  UnknownGroupError,
} from "@logstore/codec";
import type {
  CommitOffsetsRequest,
  CommitResult,
  CommittedOffset,
  GroupApi,
  GroupDescription,
  GroupMembership,
  GroupSummary,
  JoinGroupRequest,
  ResetOffsetsRequest,
  TopicPartition,
} from "@logstore/protocol";
import type { FilePool } from "../storage/file-pool.js";
import { storageError } from "../storage/storage-error.js";
import { AttentiveClock, type Clock, systemClock } from "./clock.js";
import { checkCommits, decideCommits } from "./commits.js";
import { describeGroup, stateOf } from "./describe-group.js";
import { GroupLog, type GroupLogOptions } from "./group-log.js";
import { type GroupChange, type GroupState, holdingsOf, type Member, NEVER, newGroup } from "./group-state.js";
import type { GroupTopics } from "./group-topics.js";
import { inChunks } from "./in-chunks.js";
import { Inbox } from "./inbox.js";
import { checkGroupName, checkJoin, checkSubscriptions, heartbeatIntervalMs, MAX_MEMBERS } from "./limits.js";
import { type MemberNews, Membership, type Memberships } from "./membership.js";
import { resolveReset } from "./reset-positions.js";
import { decideReset } from "./resets.js";
import {
  assignmentOf,
  byPartition,
  deadlineOf,
  isConnected,
  newSession,
  noteRevoking,
  type Session,
} from "./session.js";
import { takeTurn } from "./take-turn.js";

export interface GroupCoordinatorOptions extends GroupLogOptions {
  /** Groups without members are forgotten after so long, ms. Default 7 days. */
  readonly offsetsRetentionMs?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

const DEFAULT_OFFSETS_RETENTION_MS = 7 * 24 * 3_600_000;
const EXPIRY_INTERVAL_MS = 60_000;
/** The coordinator looks up so often, to notice when it was away itself. */
const MOST_MS_UNSEEN = 1000;

export class GroupCoordinator implements GroupApi, Memberships {
  readonly #storage: FilePool;
  readonly #topics: GroupTopics;
  readonly #offsetsRetentionMs: number;
  readonly #systemClock: Clock;
  readonly #clock: AttentiveClock;
  readonly #log: GroupLog | undefined;
  /** Wall clock less the steady one, when it was opened. */
  readonly #epochMs: number;
  /** By member id: of members, and of those whose join is being decided. */
  readonly #sessions = new Map<string, Session>();
  readonly #inboxes = new Map<string, Inbox>();
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancelWake = () => {};
  #cancelExpiry = () => {};
  #failure: LogStoreError | undefined;

  private constructor(
    storage: FilePool,
    topics: GroupTopics,
    log: GroupLog | LogStoreError,
    { offsetsRetentionMs = DEFAULT_OFFSETS_RETENTION_MS, clock = systemClock }: GroupCoordinatorOptions,
  ) {
    this.#storage = storage;
    this.#topics = topics;
    this.#offsetsRetentionMs = offsetsRetentionMs;
    this.#systemClock = clock;
    this.#clock = new AttentiveClock(clock);
    this.#epochMs = storage.now() - clock.monotonic();
    if (log instanceof LogStoreError) this.#failure = log;
    else this.#log = log;
  }

  /** Opens the groups of a data directory. Where they cannot be read, {@link failure} says why, and so does whatever is asked for. */
  static async open(
    storage: FilePool,
    dataDirectory: string,
    topics: GroupTopics,
    options: GroupCoordinatorOptions = {},
  ): Promise<GroupCoordinator> {
    const log = await GroupLog.open(storage, dataDirectory, options).catch((error: unknown) =>
      storageError(error, "the groups cannot be read"),
    );
    const coordinator = new GroupCoordinator(storage, topics, log, options);
    if (coordinator.#failure === undefined) coordinator.#recover();
    return coordinator;
  }

  /** Why groups are not served, if so. */
  get failure(): LogStoreError | undefined {
    return this.#failure;
  }

  // What anybody asks for.

  joinGroup(request: JoinGroupRequest): GroupMembership {
    return new Membership(this, request);
  }

  async commitOffsets(request: CommitOffsetsRequest): Promise<CommitResult[]> {
    const log = this.#serving();
    const { group, memberId, memberEpoch = 0 } = request;
    checkGroupName(group);
    checkCommits(request);
    log.checkRoom();
    const state = log.groups.get(group);
    const { commits, results } = decideCommits(state, request, (topic, partition) =>
      this.#topics.bounds(topic, partition),
    );
    const member = state?.members.get(memberId ?? "");
    if (member !== undefined && memberEpoch <= member.epoch) this.#showsEpoch(member.memberId, memberEpoch);
    const at = this.#now();
    await this.#append(inChunks(commits).map((some) => ({ group, at, commits: some })));
    return [...results];
  }

  async fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    const log = this.#serving();
    checkGroupName(group);
    const commits = log.groups.get(group)?.commits;
    if (commits === undefined) return [];
    if (partitions !== undefined) {
      return partitions.flatMap(({ topic, partition }) => {
        const commit = commits.get(topic)?.get(partition);
        return commit === undefined ? [] : [{ topic, partition, ...commit }];
      });
    }
    const all = [...commits].flatMap(([topic, ofTopic]) =>
      [...ofTopic].map(([partition, commit]) => ({ topic, partition, ...commit })),
    );
    return all.sort(byPartition);
  }

  async listGroups(): Promise<GroupSummary[]> {
    const groups = [...this.#serving().groups.values()].map((state): GroupSummary => {
      return { group: state.group, state: stateOf(state), memberCount: state.members.size };
    });
    return groups.sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  async describeGroup(group: string): Promise<GroupDescription> {
    const state = this.#group(group);
    return describeGroup(
      state,
      (memberId) => isConnected(this.#sessions.get(memberId)),
      ({ topic, partition }, committed) => this.#topics.lag(topic, partition, committed),
    );
  }

  async resetOffsets(request: ResetOffsetsRequest): Promise<CommittedOffset[]> {
    const { group } = request;
    const offsets = await resolveReset(this.#group(group), request, this.#topics);
    const state = this.#group(group); // it went on meanwhile
    const at = this.#now();
    const { change, told } = decideReset(state, offsets, at);
    const durable = this.#append([change]);
    for (const [memberId, ofMember] of told) {
      const member = state.members.get(memberId)!;
      const resets = { type: "offsetsReset", memberEpoch: member.epoch, offsets: ofMember } as const;
      this.#tell(memberId, { resets, assignment: assignmentOf(state, member) }, durable);
    }
    await durable;
    return offsets.map((each) => ({ ...each, metadata: "", committedAt: at }));
  }

  async deleteGroup(group: string): Promise<void> {
    const { members } = this.#group(group);
    if (members.size > 0) {
      throw new GroupNotEmptyError(`group ${group} has ${members.size} members: stop them first`, {
        group,
        actual: members.size,
      });
    }
    await this.#append([{ group, at: this.#now(), isDeleted: true }]);
  }

  // What the broker says.

  /** There are more topics. */
  topicsChanged(): void {
    for (const [group, { members }] of this.#log?.groups ?? []) {
      if (members.size > 0) this.#inbox(group).inputs.push({ type: "topicsChanged" });
    }
  }

  /** A topic is gone. Resolves when no group knows its offsets any more, whatever crashes. */
  async topicDeleted(topic: string): Promise<void> {
    if (this.#failure !== undefined) return; // the next opening finds it gone
    const concerned = [...this.#log!.groups.values()].filter(
      ({ members, commits }) => members.size > 0 || commits.has(topic),
    );
    await Promise.all(
      concerned.map(({ group }) => {
        const inbox = this.#inbox(group);
        inbox.inputs.push({ type: "topicDeleted", topic });
        return inbox.done();
      }),
    );
  }

  async close(): Promise<void> {
    if (this.#failure === undefined) this.#takeTurns();
    this.#fail(new ClosedError("the broker is closed"));
    await this.#log?.close();
  }

  // What members say.

  begin(membership: Membership): void {
    const { groups } = this.#serving();
    const { request } = membership;
    const joining = checkJoin(request);
    const { group, memberId, memberEpoch = 0 } = request;
    const state = groups.get(group);
    const now = this.#clock.now();
    if (memberId === undefined) {
      this.#checkMemberCount(group, state, joining.instanceId);
      const newId = this.#storage.randomHex(16);
      membership.memberId = newId;
      this.#sessions.set(newId, newSession(group, now, membership));
      this.#inbox(group).inputs.push({ type: "join", memberId: newId, joining });
      this.#wakeBy(now + joining.sessionTimeoutMs);
      return;
    }
    const member = state?.members.get(memberId);
    const session = this.#sessions.get(memberId);
    if (member === undefined || session === undefined) {
      throw fenced(group, memberId, "is no member any more");
    }
    if (memberEpoch < session.heardEpoch || memberEpoch > member.epoch) {
      throw fenced(group, memberId, `came back with epoch ${memberEpoch}, where it knew ${session.heardEpoch} before`);
    }
    session.membership?.finish();
    membership.memberId = memberId;
    session.membership = membership;
    session.heardAt = now;
    session.heardEpoch = memberEpoch;
    const inbox = this.#inbox(group);
    inbox.inputs.push({ type: "subscribe", memberId, topics: joining.topics });
    inbox.rejoined.set(memberId, memberEpoch);
  }

  heard(membership: Membership): void {
    const session = this.#sessionOf(membership);
    if (session !== undefined) session.heardAt = this.#clock.now();
  }

  revoked(membership: Membership, memberEpoch: number, partitions: readonly TopicPartition[]): void {
    const session = this.#sessionOf(membership);
    if (session === undefined || this.#failure !== undefined) return;
    const memberId = membership.memberId!;
    session.heardAt = this.#clock.now();
    const member = this.#log!.groups.get(session.group)?.members.get(memberId);
    if (member === undefined || memberEpoch > member.epoch) return; // nothing of that was said to it
    this.#showsEpoch(memberId, memberEpoch);
    this.#inbox(session.group).inputs.push({ type: "revoked", memberId, memberEpoch, partitions });
  }

  subscribe(membership: Membership, topics: readonly string[]): void {
    const wanted = checkSubscriptions(topics);
    const session = this.#sessionOf(membership);
    if (session === undefined || this.#failure !== undefined) return;
    session.heardAt = this.#clock.now();
    this.#inbox(session.group).inputs.push({ type: "subscribe", memberId: membership.memberId!, topics: wanted });
  }

  async leave(membership: Membership): Promise<void> {
    const session = this.#sessionOf(membership);
    if (session === undefined) return;
    this.#serving();
    const inbox = this.#inbox(session.group);
    inbox.inputs.push({ type: "gone", memberId: membership.memberId! });
    await inbox.done();
  }

  ended(_membership: Membership): void {
    // It may come back: who does not is silent, and out in time.
  }

  // Turns.

  #inbox(group: string): Inbox {
    if (this.#inboxes.size === 0) this.#systemClock.soon(() => this.#takeTurns());
    let inbox = this.#inboxes.get(group);
    if (inbox === undefined) {
      inbox = new Inbox();
      this.#inboxes.set(group, inbox);
    }
    return inbox;
  }

  #takeTurns(): void {
    if (this.#failure !== undefined || this.#inboxes.size === 0) return;
    const inboxes = [...this.#inboxes];
    this.#inboxes.clear();
    const counts = this.#topics.counts();
    for (const [group, inbox] of inboxes) this.#takeTurn(group, inbox, counts);
  }

  #takeTurn(group: string, inbox: Inbox, counts: ReadonlyMap<string, number>): void {
    const { groups } = this.#log!;
    const before = groups.get(group) ?? newGroup(group);
    const { change, target } = takeTurn(before, inbox.inputs, counts, this.#now());
    const durable = this.#append(change === undefined ? [] : [change]);
    const state = groups.get(group);
    if (state !== undefined) state.target = target;
    this.#drop(group, inbox, change, durable);
    if (state !== undefined) this.#tellMembers(state, inbox, change, durable);
    inbox.settle(durable);
  }

  /** Who is out is told so. */
  #drop(group: string, { inputs }: Inbox, change: GroupChange | undefined, durable: Promise<void>): void {
    const out = new Set(change?.removed);
    const members = this.#log!.groups.get(group)?.members;
    const reasons = new Map<string, string | undefined>();
    for (const input of inputs) {
      if (input.type === "gone") reasons.set(input.memberId, input.reason);
      if (input.type === "join" && !members?.has(input.memberId)) out.add(input.memberId); // and gone already
    }
    for (const memberId of out) {
      const membership = this.#sessions.get(memberId)?.membership;
      this.#sessions.delete(memberId);
      const hasLeft = reasons.has(memberId) && reasons.get(memberId) === undefined;
      const why = reasons.get(memberId) ?? "gave its place to another with its instance id";
      const tell = () => (hasLeft ? membership?.finish() : membership?.fail(fenced(group, memberId, why)));
      durable.then(tell, () => {});
    }
  }

  #tellMembers(state: GroupState, inbox: Inbox, change: GroupChange | undefined, durable: Promise<void>): void {
    const now = this.#clock.now();
    const joined = new Set(inbox.inputs.flatMap((input) => (input.type === "join" ? [input.memberId] : [])));
    const changed = new Map(change?.members?.map((member) => [member.memberId, member]));
    for (const memberId of inbox.rejoined.keys()) {
      const member = state.members.get(memberId);
      if (member !== undefined) changed.set(memberId, member);
    }
    for (const [memberId, member] of changed) {
      const session = this.#sessions.get(memberId)!;
      noteRevoking(session, member, now);
      this.#wakeBy(deadlineOf(session, member).at);
      const knownEpoch = inbox.rejoined.get(memberId);
      const isNew = joined.has(memberId) || knownEpoch !== undefined;
      if (member.epoch !== change?.epoch && !isNew) continue;
      const news = {
        joined: isNew ? joinedOf(member, knownEpoch ?? member.epoch) : undefined,
        resets: knownEpoch === undefined ? undefined : missedResets(state, member, knownEpoch),
        assignment: assignmentOf(state, member),
      };
      this.#tell(memberId, news, durable);
    }
  }

  #tell(memberId: string, news: MemberNews, durable: Promise<void>): void {
    const membership = this.#sessions.get(memberId)?.membership;
    if (membership !== undefined)
      durable.then(
        () => membership.tell(news),
        () => {},
      );
  }

  // Deadlines.

  /** Looks at deadlines at this time, if not before. */
  #wakeBy(at: number): void {
    const now = this.#clock.now();
    const by = Math.min(at, now + MOST_MS_UNSEEN);
    if (by >= this.#wakeAt || this.#failure !== undefined) return;
    this.#cancelWake();
    this.#wakeAt = by;
    this.#cancelWake = this.#clock.after(Math.max(0, Math.ceil(by - now)), () => this.#wake());
  }

  #wake(): void {
    const now = this.#clock.now();
    this.#cancelWake();
    this.#wakeAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const [memberId, session] of this.#sessions) {
      const member = this.#log!.groups.get(session.group)?.members.get(memberId);
      if (member === undefined) continue; // its join is being decided
      const { at, reason } = deadlineOf(session, member);
      if (at > now) next = Math.min(next, at);
      else this.#inbox(session.group).inputs.push({ type: "gone", memberId, reason });
    }
    if (this.#sessions.size > 0) this.#wakeBy(next);
  }

  #expireLater(): void {
    this.#cancelExpiry = this.#systemClock.after(EXPIRY_INTERVAL_MS, () => {
      this.#expire();
      if (this.#failure === undefined) this.#expireLater();
    });
  }

  #expire(): void {
    const at = this.#now();
    const expired = [...this.#log!.groups.values()].filter(
      ({ emptySince }) => emptySince !== undefined && emptySince + this.#offsetsRetentionMs <= at,
    );
    const changes = expired.map(({ group }) => ({ group, at, isDeleted: true }));
    if (changes.length > 0) this.#append(changes).catch(() => {}); // it is failed then
  }

  // The rest.

  /** Members have their session's time to come back. What the topics lost, or lost altogether, is not committed any more. */
  #recover(): void {
    const { groups } = this.#log!;
    const now = this.#clock.now();
    const at = this.#now();
    const changes: GroupChange[] = [];
    for (const state of groups.values()) {
      for (const [memberId, member] of state.members) {
        const session = newSession(state.group, now, undefined);
        noteRevoking(session, member, now);
        this.#sessions.set(memberId, session);
        this.#wakeBy(deadlineOf(session, member).at);
      }
      for (const topic of state.commits.keys()) {
        if (this.#topics.mayExist(topic)) continue;
        this.#inbox(state.group).inputs.push({ type: "topicDeleted", topic });
      }
      if (state.members.size > 0) this.#inbox(state.group).inputs.push({ type: "topicsChanged" });
      const beyond = this.#beyondTheirLogs(state);
      if (beyond.length > 0) changes.push(decideReset(state, beyond, at).change);
    }
    if (changes.length > 0) this.#append(changes).catch(() => {});
    this.#takeTurns();
    this.#expire();
    this.#expireLater();
  }

  /** A log may have lost its end in a power cut: other records will be there, and they are not to be passed over. */
  #beyondTheirLogs({ commits }: GroupState) {
    const beyond: { topic: string; partition: number; offset: number }[] = [];
    const counts = this.#topics.counts();
    for (const [topic, ofTopic] of commits) {
      for (const [partition, { offset }] of ofTopic) {
        if (partition >= (counts.get(topic) ?? 0) || this.#topics.isDamaged(topic, partition)) continue;
        const { logEnd } = this.#topics.bounds(topic, partition);
        if (offset > logEnd) beyond.push({ topic, partition, offset: logEnd });
      }
    }
    return beyond;
  }

  /** Resolves when the changes are durable, and all before them. */
  async #append(changes: readonly GroupChange[]): Promise<void> {
    const log = this.#serving();
    try {
      await (changes.length > 0 ? log.append(changes) : log.settled());
    } catch (error) {
      // What was decided is not what the disk says any more.
      this.#fail(storageError(error, "the groups' log failed"));
      throw error;
    }
  }

  #fail(error: LogStoreError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#cancelWake();
    this.#cancelExpiry();
    for (const { membership } of this.#sessions.values()) membership?.fail(error);
    for (const inbox of this.#inboxes.values()) inbox.settle(Promise.reject(error));
    this.#inboxes.clear();
  }

  #serving(): GroupLog {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#log!;
  }

  #group(group: string): GroupState {
    const log = this.#serving();
    checkGroupName(group);
    const state = log.groups.get(group);
    if (state !== undefined) return state;
    throw new UnknownGroupError(`there is no group ${group}: nobody has joined it or committed for it`, { group });
  }

  /** Undefined where the member is out, or goes on by another membership. */
  #sessionOf(membership: Membership): Session | undefined {
    const session = this.#sessions.get(membership.memberId ?? "");
    return session?.membership === membership ? session : undefined;
  }

  #showsEpoch(memberId: string, memberEpoch: number): void {
    const session = this.#sessions.get(memberId);
    if (session !== undefined) session.heardEpoch = Math.max(session.heardEpoch, memberEpoch);
  }

  #checkMemberCount(group: string, state: GroupState | undefined, instanceId: string | undefined): void {
    const members = state?.members ?? new Map<string, Member>();
    const joins = (this.#inboxes.get(group)?.inputs ?? []).filter(({ type }) => type === "join").length;
    if (members.size + joins < MAX_MEMBERS) return;
    for (const member of members.values()) if (instanceId !== undefined && member.instanceId === instanceId) return;
    throw new QuotaExceededError(`group ${group} has ${MAX_MEMBERS} members, and takes no more`, {
      group,
      expected: MAX_MEMBERS,
      actual: members.size,
    });
  }

  /** ms since the epoch, whatever is done to the clock meanwhile. */
  #now(): number {
    return Math.round(this.#epochMs + this.#systemClock.monotonic());
  }
}

/** @param memberEpoch of one that goes on, the one that it knows: a newer one comes with what is new */
function joinedOf({ memberId, sessionTimeoutMs }: Member, memberEpoch: number) {
  const intervalMs = heartbeatIntervalMs(sessionTimeoutMs);
  return { type: "joined", memberId, memberEpoch, heartbeatIntervalMs: intervalMs, sessionTimeoutMs } as const;
}

/** Offsets that were reset, or partitions that it got, while it heard nothing; also of what it is to give up now. */
function missedResets({ commits }: GroupState, member: Member, knownEpoch: number) {
  const offsets: { topic: string; partition: number; offset: number }[] = [];
  for (const [topic, partition, { since }] of holdingsOf(member)) {
    const offset = commits.get(topic)?.get(partition)?.offset;
    if (since > knownEpoch && since !== NEVER && offset !== undefined) offsets.push({ topic, partition, offset });
  }
  return offsets.length === 0 ? undefined : ({ type: "offsetsReset", memberEpoch: member.epoch, offsets } as const);
}

function fenced(group: string, memberId: string, why: string): FencedMemberError {
  return new FencedMemberError(`member ${memberId} ${why}: join group ${group} anew`, { group });
}
