/** Consumer groups, as anybody sees them who has a broker: who reads which partitions, and how far they are. */
import { ClosedError, GroupNotEmptyError, type LogStoreError, UnknownGroupError } from "@logstore/codec";
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
import type { FilePool } from "../storage/file-pool.js";
import { storageError } from "../storage/storage-error.js";
import { type Clock, systemClock } from "./clock.js";
import { checkCommits, decideCommits, growthOf } from "./commits.js";
import { describeGroup, stateOf } from "./describe-group.js";
import { GroupLog, type GroupLogOptions } from "./group-log.js";
import type { CommitChange, GroupChange, GroupState } from "./group-state.js";
import type { GroupTopics } from "./group-topics.js";
import { type GroupLimitOptions, GroupTotals } from "./group-totals.js";
import { inChunks } from "./in-chunks.js";
import { Journal } from "./journal.js";
import { checkGroupName, checkRetention } from "./limits.js";
import { Members } from "./members.js";
import { Membership } from "./membership.js";
import { assignmentOf, byPartition } from "./news.js";
import { resolveReset } from "./reset-positions.js";
import { decideReset, type PartitionOffset } from "./resets.js";

export interface GroupCoordinatorOptions extends GroupLogOptions, GroupLimitOptions {
  /** Groups without members are forgotten after so long, ms. Default 7 days. */
  readonly offsetsRetentionMs?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

const DEFAULT_OFFSETS_RETENTION_MS = 7 * 24 * 3_600_000;
const EXPIRY_INTERVAL_MS = 60_000;

export class GroupCoordinator implements GroupApi {
  readonly #topics: GroupTopics;
  readonly #offsetsRetentionMs: number;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #members: Members;
  #cancelExpiry = () => {};

  private constructor(
    storage: FilePool,
    topics: GroupTopics,
    log: GroupLog | undefined,
    failure: LogStoreError | undefined,
    { offsetsRetentionMs = DEFAULT_OFFSETS_RETENTION_MS, clock = systemClock }: GroupCoordinatorOptions,
  ) {
    this.#topics = topics;
    this.#offsetsRetentionMs = offsetsRetentionMs;
    this.#clock = clock;
    this.#journal = new Journal(log, failure, storage.now(), clock);
    this.#members = new Members(this.#journal, topics, () => storage.randomHex(16), clock);
    this.#journal.onFailure = (error) => {
      this.#cancelExpiry();
      this.#members.fail(error);
    };
  }

  /**
   * Opens the groups of a data directory. Where they cannot be read, {@link failure} says why, and so does whatever is asked for.
   *
   * @throws InvalidArgumentError
   */
  static async open(
    storage: FilePool,
    dataDirectory: string,
    topics: GroupTopics,
    options: GroupCoordinatorOptions = {},
  ): Promise<GroupCoordinator> {
    checkRetention(options.offsetsRetentionMs);
    const totals = new GroupTotals(options);
    let log: GroupLog | undefined;
    let failure: LogStoreError | undefined;
    try {
      log = await GroupLog.open(storage, dataDirectory, options, totals);
    } catch (error) {
      failure = storageError(error, "the groups cannot be read");
    }
    const coordinator = new GroupCoordinator(storage, topics, log, failure, options);
    if (failure === undefined) coordinator.#recover();
    return coordinator;
  }

  /** Why groups are not served, if so. */
  get failure(): LogStoreError | undefined {
    return this.#journal.failure;
  }

  joinGroup(request: JoinGroupRequest, { principal }: GroupCallOptions = {}): GroupMembership {
    return new Membership(this.#members, request, principal);
  }

  async commitOffsets(request: CommitOffsetsRequest, { principal }: GroupCallOptions = {}): Promise<CommitResult[]> {
    this.#journal.check();
    const { group, memberId = "", memberEpoch = 0 } = request;
    checkGroupName(group);
    checkCommits(request);
    this.#journal.checkRoom();
    const state = this.#journal.groups.get(group);
    const { commits, results } = decideCommits(state, request, (topic, partition, topicId) =>
      this.#topics.bounds(topic, partition, topicId),
    );
    const member = state?.members.get(memberId);
    if (member !== undefined && memberEpoch <= member.epoch) this.#members.showsEpoch(group, memberId, memberEpoch);
    const at = this.#journal.now();
    const owner = state === undefined ? principal : state.owner;
    await this.#grow(state, group, owner, commits, () =>
      inChunks(this.#withIds(commits)).map((some) => ({ group, at, owner, commits: some })),
    );
    return [...results];
  }

  async fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    this.#journal.check();
    checkGroupName(group);
    const { commits, topicIds } = this.#journal.groups.get(group) ?? {};
    if (commits === undefined) return [];
    const idOf = (topic: string) => topicIds?.get(topic) ?? this.#topics.id(topic);
    if (partitions !== undefined) {
      return partitions.flatMap(({ topic, topicId, partition }) => {
        if (topicId) this.#topics.bounds(topic, partition, topicId);
        const commit = commits.get(topic)?.get(partition);
        return commit === undefined ? [] : [{ topic, topicId: idOf(topic), partition, ...commit }];
      });
    }
    const all = [...commits].flatMap(([topic, ofTopic]) => {
      const topicId = idOf(topic);
      return [...ofTopic].map(([partition, commit]) => ({ topic, topicId, partition, ...commit }));
    });
    return all.sort(byPartition);
  }

  async listGroups(): Promise<GroupSummary[]> {
    this.#journal.check();
    const groups = [...this.#journal.groups.values()].map((state): GroupSummary => {
      return { group: state.group, state: stateOf(state), memberCount: state.members.size };
    });
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
    for (const { topic, topicId, partition } of offsets) this.#topics.bounds(topic, partition, topicId); // still there?
    const state = this.#group(group); // it went on meanwhile
    const at = this.#journal.now();
    const { change, told } = decideReset(state, offsets, at);
    const durable = this.#grow(state, group, state.owner, change.commits ?? [], () => [change]);
    const idOf = (topic: string) => this.#topics.id(topic);
    for (const [memberId, ofMember] of told) {
      const member = state.members.get(memberId)!;
      const resets = { type: "offsetsReset", memberEpoch: member.epoch, offsets: ofMember } as const;
      this.#members.tell(group, memberId, { resets, assignment: assignmentOf(state, member, idOf) }, durable);
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
    await this.#journal.append([{ group, at: this.#journal.now(), isDeleted: true }]);
  }

  /** There are more topics. */
  topicsChanged(): void {
    if (this.failure !== undefined) return;
    for (const [group, { members }] of this.#journal.groups) {
      if (members.size > 0) this.#members.input(group, { type: "topicsChanged" });
    }
  }

  /** A topic is gone. Resolves when no group knows its offsets any more, whatever crashes. */
  async topicDeleted(topic: string): Promise<void> {
    if (this.failure !== undefined) return; // the next opening finds it gone
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

  /** What the topics lost, or lost altogether, is not committed any more. */
  #recover(): void {
    this.#members.recover();
    for (const state of this.#journal.groups.values()) {
      const { group, commits, members } = state;
      for (const topic of commits.keys()) {
        if (!this.#topics.mayExist(topic) || this.#isOfAnother(state, topic))
          this.#members.input(group, { type: "topicDeleted", topic });
      }
      if (members.size > 0) this.#members.input(group, { type: "topicsChanged" });
      const beyond = this.#beyondTheirLogs(state);
      if (beyond.length > 0) {
        const { change } = decideReset(state, beyond, this.#journal.now());
        this.#journal.append([change]).catch(() => {}); // it has failed then
      }
    }
    this.#members.takeTurns();
    this.#expire();
  }

  /** Whether what was committed is of a topic that had the name before: the groups, or the topics, came from a copy. */
  #isOfAnother({ topicIds }: GroupState, topic: string): boolean {
    const id = this.#topics.id(topic);
    return id !== undefined && (topicIds.get(topic) ?? id) !== id;
  }

  #withIds(commits: readonly CommitChange[]): CommitChange[] {
    return commits.map((commit) => ({ ...commit, topicId: this.#topics.id(commit.topic) }));
  }

  /** A log may have lost its end in a power cut: other records will be there, and they are not to be passed over. */
  #beyondTheirLogs(state: GroupState): PartitionOffset[] {
    const beyond: PartitionOffset[] = [];
    const counts = this.#topics.counts();
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
   * @throws GroupLimitExceededError at once where there would be more of them than there may be
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

  /** Groups that nobody has used for long are forgotten; now, and from time to time. */
  #expire(): void {
    if (this.failure !== undefined) return;
    const at = this.#journal.now();
    const expired = [...this.#journal.groups.values()].filter(
      ({ emptySince }) => emptySince !== undefined && emptySince + this.#offsetsRetentionMs <= at,
    );
    const changes = expired.map(({ group }) => ({ group, at, isDeleted: true }));
    if (changes.length > 0) this.#journal.append(changes).catch(() => {}); // it has failed then
    this.#cancelExpiry = this.#clock.after(EXPIRY_INTERVAL_MS, () => this.#expire());
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
