/**
 * The coordinator of consumer groups, as used by a broker: which member reads which partitions, and
 * how far each group has read.
 */
import {
  ClosedError,
  GroupLimitExceededError,
  GroupNotEmptyError,
  type LogStoreError,
  UnknownGroupError,
} from "@logstore/codec";
import type {
  CommitOffsetsRequest,
  CommitResult,
  CommittedOffset,
  GroupApi,
  GroupCallOptions,
  GroupDescription,
  GroupMembership,
  GroupSummary,
  JoinGroupRequest,
  ResetOffsetsRequest,
  TopicPartition,
} from "@logstore/protocol";
import { detailOf } from "../errors/error-detail.js";
import { PacedTask } from "../pacing/pacer.js";
import { storageError } from "../storage/storage-error.js";
import { checkCommits, decideCommits, growthOf } from "./decide/commits.js";
import { inChunks } from "./decide/in-chunks.js";
import { inParts } from "./decide/in-parts.js";
import { decideReset, type PartitionOffset } from "./decide/resets.js";
import { describeGroup, stateOf } from "./describe-group.js";
import { type GroupEngine, GroupLog, type GroupLogOptions } from "./journal/group-log.js";
import { Journal } from "./journal/journal.js";
import { Members } from "./members/members.js";
import { Membership } from "./members/membership.js";
import { assignmentOf, byName, byNumber } from "./members/news.js";
import { resolveReset } from "./reset-positions.js";
import type { CommitChange, GroupChange, GroupState, Member } from "./state/group-state.js";
import type { GroupTopics } from "./state/group-topics.js";
import { type GroupLimitOptions, GroupTotals } from "./state/group-totals.js";
import { checkGroupName, checkRetention } from "./state/limits.js";
import { type Clock, systemClock } from "./time/clock.js";
import type { Steps } from "./time/slices.js";

export interface GroupCoordinatorOptions extends GroupLogOptions, GroupLimitOptions {
  /** Time after which groups without members expire, in ms. Default 7 days. */
  readonly offsetsRetentionMs?: number | undefined;
  /** Default: the system clock. */
  readonly clock?: Clock | undefined;
  /** Called with each change when it is made, before it is durable. */
  readonly onChange?: ((change: GroupChange) => void) | undefined;
}

const DEFAULT_OFFSETS_RETENTION_MS = 7 * 24 * 3_600_000;
const EXPIRY_INTERVAL_MS = 60_000;
/** Larger requests are processed in parts, between which other work runs. */
const MAX_COMMITS_AT_ONCE = 250;
/** The members and offsets of a larger reset are written as several changes. */
const MAX_RESET_IN_A_CHANGE = 2000;
const MAX_RESETS_AT_ONCE = 50_000;
const RESETS_A_STEP = 500;

export class GroupCoordinator implements GroupApi {
  readonly #topics: GroupTopics;
  readonly #offsetsRetentionMs: number;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #members: Members;
  #cancelExpiry = () => {};

  private constructor(
    engine: GroupEngine,
    topics: GroupTopics,
    log: GroupLog | undefined,
    failure: LogStoreError | undefined,
    { offsetsRetentionMs = DEFAULT_OFFSETS_RETENTION_MS, clock = systemClock, onChange }: GroupCoordinatorOptions,
  ) {
    this.#topics = topics;
    this.#offsetsRetentionMs = offsetsRetentionMs;
    this.#clock = clock;
    this.#journal = new Journal(log, failure, engine.now(), clock);
    if (onChange !== undefined) this.#journal.onChange = onChange;
    this.#members = new Members(this.#journal, topics, () => engine.randomHex(16), clock);
    this.#journal.onFailure = (error) => {
      this.#cancelExpiry();
      this.#members.fail(error);
    };
  }

  /**
   * Opens the groups of a broker. Where they cannot be read, {@link failure} says why, and
   * so does whatever is asked for.
   *
   * @throws InvalidArgumentError
   */
  static async open(
    engine: GroupEngine,
    topics: GroupTopics,
    options: GroupCoordinatorOptions = {},
  ): Promise<GroupCoordinator> {
    checkRetention(options.offsetsRetentionMs);
    const totals = new GroupTotals(options);
    let log: GroupLog | undefined;
    let failure: LogStoreError | undefined;
    try {
      log = await GroupLog.open(engine, options, totals);
    } catch (error) {
      failure = storageError(error, "the groups cannot be read");
    }
    const coordinator = new GroupCoordinator(engine, topics, log, failure, options);
    if (failure === undefined) await coordinator.#recover();
    return coordinator;
  }

  /** Why groups are unavailable; undefined if they are available. */
  get failure(): LogStoreError | undefined {
    return this.#journal.failure;
  }

  joinGroup(request: JoinGroupRequest, { principal }: GroupCallOptions = {}): GroupMembership {
    return new Membership(this.#members, request, principal);
  }

  async commitOffsets(request: CommitOffsetsRequest, { principal }: GroupCallOptions = {}): Promise<CommitResult[]> {
    this.#journal.check();
    checkGroupName(request.group);
    checkCommits(request);
    this.#journal.checkRoom();
    const { offsets } = request;
    if (offsets.length <= MAX_COMMITS_AT_ONCE) return this.#commit(request, principal).durable;
    const task = new PacedTask();
    const results: CommitResult[] = [];
    const durable: Promise<unknown>[] = [];
    for (let i = 0; i < offsets.length; i += MAX_COMMITS_AT_ONCE) {
      const part = offsets.slice(i, i + MAX_COMMITS_AT_ONCE);
      try {
        const some = this.#commit({ ...request, offsets: part }, principal);
        durable.push(some.durable);
        some.durable.catch(() => {}); // reported below
        results.push(...some.results);
      } catch (error) {
        // The parts accepted before it are reported as such: each partition has its own result.
        if (i === 0 || !(error instanceof GroupLimitExceededError)) throw error;
        const refused = part.map(({ topic, partition }) => ({ error: detailOf(error.with({ topic, partition })) }));
        results.push(...refused);
      }
      await task.pause();
    }
    await Promise.all(durable);
    return results;
  }

  /**
   * @throws GroupLimitExceededError, or the reason why groups are unavailable; both synchronously
   */
  #commit(
    request: CommitOffsetsRequest,
    principal: string | undefined,
  ): { readonly results: readonly CommitResult[]; readonly durable: Promise<CommitResult[]> } {
    this.#journal.check();
    const { group, memberId = "", memberEpoch = 0 } = request;
    const state = this.#journal.groups.get(group);
    const { commits, results } = decideCommits(state, request, (topic, partition, topicId) =>
      this.#topics.bounds(topic, partition, topicId),
    );
    const member = state?.members.get(memberId);
    if (member !== undefined && memberEpoch <= member.epoch) this.#members.showsEpoch(group, memberId, memberEpoch);
    const at = this.#journal.now();
    const owner = state === undefined ? principal : state.owner;
    const changes = () => inChunks(this.#withIds(commits)).map((some) => ({ group, at, owner, commits: some }));
    return { results, durable: this.#grow(state, group, owner, commits, changes).then(() => [...results]) };
  }

  async fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    this.#journal.check();
    checkGroupName(group);
    const { commits, topicIds } = this.#journal.groups.get(group) ?? {};
    if (commits === undefined) return [];
    const idOf = (topic: string) => topicIds?.get(topic) ?? this.#topics.id(topic);
    const task = new PacedTask();
    const found: CommittedOffset[] = [];
    if (partitions !== undefined) {
      for (const { topic, topicId, partition } of partitions) {
        if (topicId) this.#topics.bounds(topic, partition, topicId);
        const commit = commits.get(topic)?.get(partition);
        if (commit !== undefined) found.push({ topic, topicId: idOf(topic), partition, ...commit });
        if (task.isDue) await task.pause();
      }
      return found;
    }
    for (const [topic, ofTopic] of [...commits].sort(byName)) {
      const topicId = idOf(topic);
      for (const [partition, commit] of [...ofTopic].sort(byNumber)) {
        found.push({ topic, topicId, partition, ...commit });
        if (task.isDue) await task.pause();
      }
    }
    return found;
  }

  async listGroups(): Promise<GroupSummary[]> {
    this.#journal.check();
    const task = new PacedTask();
    const groups: GroupSummary[] = [];
    for (const state of [...this.#journal.groups.values()]) {
      groups.push({ group: state.group, state: stateOf(state), memberCount: state.members.size });
      if (task.isDue) await task.pause();
    }
    return groups.sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  async describeGroup(group: string): Promise<GroupDescription> {
    return describeGroup(
      this.#group(group),
      (memberId) => this.#members.isConnected(group, memberId),
      async ({ topic, partition }, committed) => {
        return { topicId: this.#topics.id(topic), ...(await this.#topics.lag(topic, partition, committed)) };
      },
    );
  }

  async resetOffsets(request: ResetOffsetsRequest): Promise<CommittedOffset[]> {
    const { group } = request;
    const offsets = await resolveReset(this.#group(group), request, this.#topics);
    const committed: CommittedOffset[] = [];
    for (let i = 0; i < offsets.length; i += MAX_RESETS_AT_ONCE) {
      const some = offsets.slice(i, i + MAX_RESETS_AT_ONCE);
      const at = await this.#members.run(this.#reset(group, some));
      for (const each of some) committed.push({ ...each, metadata: "", committedAt: at });
    }
    return committed;
  }

  /** Resolves to the time of the decision, once it is durable. */
  *#reset(group: string, offsets: readonly PartitionOffset[]): Steps<Promise<number>> {
    const state = this.#group(group); // it may have changed in the meantime
    const at = this.#journal.now();
    const { change, told } = yield* decideReset(state, offsets, at);
    for (const [i, { topic, topicId, partition }] of offsets.entries()) {
      if (i % RESETS_A_STEP === RESETS_A_STEP - 1) yield;
      this.#topics.bounds(topic, partition, topicId); // checks that it still exists; if its topic is deleted later, its commits are dropped, too
    }
    const { members = [], commits = [] } = change;
    const growth = { commitBytes: growthOf(state, commits) };
    const release = this.#journal.totals.hold(state.owner, group, growth);
    let durable: Promise<void>;
    try {
      durable = yield* this.#appendReset(change, members, commits);
    } finally {
      release();
    }
    const idOf = (topic: string) => this.#topics.id(topic);
    for (const [memberId, ofMember] of told) {
      const member = state.members.get(memberId)!;
      const resets = { type: "offsetsReset", memberEpoch: member.epoch, offsets: ofMember } as const;
      this.#members.tell(group, memberId, { resets, assignment: assignmentOf(state, member, idOf) }, durable);
      yield;
    }
    return durable.then(() => at);
  }

  *#appendReset(
    change: GroupChange,
    members: readonly Member[],
    commits: readonly CommitChange[],
  ): Steps<Promise<void>> {
    if (members.length + commits.length <= MAX_RESET_IN_A_CHANGE) return this.#journal.append([change]);
    let durable = Promise.resolve();
    // The new epochs come first: once the offsets are set, no commit with an older epoch may count.
    const parts = [
      ...inParts(members).map((some) => ({ ...change, members: some, commits: [] })),
      ...inChunks(commits).map((some) => ({ ...change, members: [], commits: some })),
    ];
    for (const part of parts) {
      durable = this.#journal.append([part]);
      durable.catch(() => {}); // the last promise reports the error
      yield;
    }
    return durable;
  }

  deleteGroup(group: string): Promise<void> {
    return this.#members.run(this.#delete(group));
  }

  *#delete(group: string): Steps<Promise<void>> {
    yield;
    const { members } = this.#group(group);
    if (members.size > 0) {
      throw new GroupNotEmptyError(`group ${group} has ${members.size} members: stop them first`, {
        group,
        actual: members.size,
      });
    }
    return this.#journal.append([{ group, at: this.#journal.now(), isDeleted: true }]);
  }

  /** Topics were created. */
  topicsChanged(): void {
    if (this.failure !== undefined) return;
    for (const [group, { members }] of this.#journal.groups) {
      if (members.size > 0) this.#members.input(group, { type: "topicsChanged" });
    }
  }

  /** A topic was deleted. Resolves when its offsets have been removed from all groups, durably. */
  async topicDeleted(topic: string): Promise<void> {
    if (this.failure !== undefined) return; // the next open finds that it is gone
    const concerned = [...this.#journal.groups.values()].filter(
      ({ members, commits }) => members.size > 0 || commits.has(topic),
    );
    await Promise.all(concerned.map(({ group }) => this.#members.input(group, { type: "topicDeleted", topic }).done()));
  }

  async close(): Promise<void> {
    this.#members.takeTurns();
    this.#journal.fail(new ClosedError("the broker is closed"));
    await this.#journal.close();
  }

  /**
   * Drops committed offsets of topics that are gone, and corrects those beyond the end of a log.
   */
  async #recover(): Promise<void> {
    this.#members.run(this.#recovering()).catch(() => {}); // the journal has failed then, and reports it
    await this.#members.turnsTaken();
    this.#expire();
    await this.#members.turnsTaken();
  }

  *#recovering(): Steps {
    yield* this.#members.recover();
    const counts = this.#topics.counts();
    for (const state of this.#journal.groups.values()) {
      const { group, commits, members } = state;
      for (const topic of commits.keys()) {
        if (!this.#topics.mayExist(topic) || this.#isOfAnother(state, topic))
          this.#members.input(group, { type: "topicDeleted", topic });
      }
      if (members.size > 0) this.#members.input(group, { type: "topicsChanged" });
      yield;
      const beyond = this.#beyondTheirLogs(state, counts);
      if (beyond.length === 0) continue;
      const { change } = yield* decideReset(state, beyond, this.#journal.now());
      this.#journal.append([change]).catch(() => {}); // the journal has failed then, and reports it
    }
  }

  /**
   * Whether the commits belong to an earlier topic of this name, because the groups or the topics
   * were restored from a copy.
   */
  #isOfAnother({ topicIds }: GroupState, topic: string): boolean {
    const id = this.#topics.id(topic);
    return id !== undefined && (topicIds.get(topic) ?? id) !== id;
  }

  #withIds(commits: readonly CommitChange[]): CommitChange[] {
    return commits.map((commit) => ({ ...commit, topicId: this.#topics.id(commit.topic) }));
  }

  /**
   * After a power failure a log may have lost its end. New records will take those offsets, and
   * must not be skipped.
   */
  #beyondTheirLogs(state: GroupState, counts: ReadonlyMap<string, number>): PartitionOffset[] {
    const beyond: PartitionOffset[] = [];
    for (const [topic, ofTopic] of state.commits) {
      for (const [partition, { offset }] of ofTopic) {
        if (this.#isOfAnother(state, topic)) break;
        if (partition >= (counts.get(topic) ?? 0) || this.#topics.isDamaged(topic, partition)) continue;
        const { logEnd } = this.#topics.bounds(topic, partition);
        if (offset > logEnd) beyond.push({ topic, topicId: this.#topics.id(topic), partition, offset: logEnd });
      }
    }
    return beyond;
  }

  /**
   * Makes changes that add commits.
   *
   * @throws GroupLimitExceededError synchronously, if the commits would exceed a limit
   */
  #grow(
    state: GroupState | undefined,
    group: string,
    owner: string | undefined,
    commits: readonly CommitChange[],
    changes: () => GroupChange[],
  ): Promise<void> {
    const growth = { groups: state === undefined && commits.length > 0 ? 1 : 0, commitBytes: growthOf(state, commits) };
    this.#journal.totals.hold(owner, group, growth)();
    return this.#journal.append(changes());
  }

  /** Removes groups that have not been used for long; called on open and periodically. */
  #expire(): void {
    if (this.failure !== undefined) return;
    this.#members.run(this.#expiring()).catch(() => {}); // the journal has failed then, and reports it
    this.#cancelExpiry = this.#clock.after(EXPIRY_INTERVAL_MS, () => this.#expire());
  }

  *#expiring(): Steps {
    const at = this.#journal.now();
    for (const { group, emptySince } of this.#journal.groups.values()) {
      yield;
      if (emptySince === undefined || emptySince + this.#offsetsRetentionMs > at) continue;
      this.#journal.append([{ group, at, isDeleted: true }]).catch(() => {}); // the journal has failed then, and reports it
    }
  }

  /** @throws UnknownGroupError */
  #group(group: string): GroupState {
    this.#journal.check();
    checkGroupName(group);
    const state = this.#journal.groups.get(group);
    if (state !== undefined) return state;
    throw new UnknownGroupError(`there is no group ${group}: nobody has joined it or committed for it`, { group });
  }
}
