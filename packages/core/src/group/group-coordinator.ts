/**
 * The coordinator of consumer groups, as used by a broker: which member reads which partitions, and
 * how far each group has read.
 */
import { ClosedError, GroupNotEmptyError, type LogStoreError } from "@logstore/codec";
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
import { storageError } from "../storage/storage-error.js";
import { alignLater } from "./align-later.js";
import { commitOffsets } from "./commit-offsets.js";
import { describeGroup, listGroups } from "./describe-group.js";
import { Expiry } from "./expiry.js";
import { fetchOffsets } from "./fetch-offsets.js";
import type { GroupParts } from "./group-parts.js";
import { type GroupEngine, GroupLog, type GroupLogOptions } from "./journal/group-log.js";
import { Journal } from "./journal/journal.js";
import { allDecided, type Decided } from "./members/inbox.js";
import { Members } from "./members/members.js";
import { Membership } from "./members/membership.js";
import { committedPartitions, recoverGroups } from "./recover-groups.js";
import { resetOffsets } from "./reset-offsets.js";
import type { GroupChange } from "./state/group-state.js";
import type { GroupTopics } from "./state/group-topics.js";
import { type GroupLimitOptions, GroupTotals } from "./state/group-totals.js";
import { checkRetention } from "./state/limits.js";
import { RefreshFailures } from "./state/refresh-failures.js";
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

export class GroupCoordinator implements GroupApi {
  readonly #parts: GroupParts;
  readonly #expiry: Expiry;
  /** Aborted when groups are no longer available. */
  readonly #stop = new AbortController();

  private constructor(parts: GroupParts, expiry: Expiry) {
    this.#parts = parts;
    this.#expiry = expiry;
    parts.journal.onFailure = (error) => {
      expiry.stop();
      this.#stop.abort();
      parts.members.fail(error);
    };
  }

  /**
   * Opens the groups of a broker. If they cannot be read, {@link failure} is the reason, and every
   * call throws it.
   *
   * @throws InvalidArgumentError
   */
  static async open(
    engine: GroupEngine,
    topics: GroupTopics,
    options: GroupCoordinatorOptions = {},
  ): Promise<GroupCoordinator> {
    checkRetention(options.offsetsRetentionMs);
    const { clock = systemClock, onChange } = options;
    const totals = new GroupTotals(options);
    let log: GroupLog | undefined;
    let failure: LogStoreError | undefined;
    let unknown: RefreshFailures | undefined;
    try {
      log = await GroupLog.open(engine, options, totals);
      unknown = await topics.refresh(committedPartitions(log.groups));
    } catch (error) {
      await log?.close().catch(() => {}); // the reason why they cannot be read is reported
      log = undefined;
      failure = storageError(error, "the groups cannot be read");
    }
    const journal = new Journal(log, failure, engine.now(), clock);
    if (onChange !== undefined) journal.onChange = onChange;
    const members = new Members(journal, topics, () => engine.randomHex(16), clock);
    const parts = { journal, members, topics };
    const coordinator = new GroupCoordinator(parts, new Expiry(parts, clock, options.offsetsRetentionMs));
    if (failure === undefined) await coordinator.#recover(unknown ?? new RefreshFailures());
    return coordinator;
  }

  /** @param unknown partitions with which the groups cannot be compared now */
  async #recover(unknown: RefreshFailures): Promise<void> {
    const { members } = this.#parts;
    const isDue = (topic: string, partition?: number) => unknown.of(topic, partition) === undefined;
    members.run(recoverGroups(this.#parts, isDue)).catch(() => {}); // the journal has failed then, and reports it
    await members.turnsTaken();
    this.#expiry.start();
    await members.turnsTaken();
    alignLater(this.#parts, unknown, this.#stop.signal).catch(() => {}); // as above
  }

  /** Why groups are unavailable; undefined if they are available. */
  get failure(): LogStoreError | undefined {
    return this.#parts.journal.failure;
  }

  joinGroup(request: JoinGroupRequest, { principal }: GroupCallOptions = {}): GroupMembership {
    return new Membership(this.#parts.members, request, principal);
  }

  commitOffsets(request: CommitOffsetsRequest, { principal }: GroupCallOptions = {}): Promise<CommitResult[]> {
    return commitOffsets(this.#parts, request, principal);
  }

  fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return fetchOffsets(this.#parts, group, partitions);
  }

  async listGroups(): Promise<GroupSummary[]> {
    const { journal } = this.#parts;
    journal.check();
    return listGroups(journal.groups.values());
  }

  async describeGroup(group: string): Promise<GroupDescription> {
    const { journal, members, topics } = this.#parts;
    return describeGroup(
      journal.group(group),
      (memberId) => members.isConnected(group, memberId),
      async ({ topic, partition }, committed) => {
        return { topicId: topics.id(topic), ...(await topics.lag(topic, partition, committed)) };
      },
    );
  }

  resetOffsets(request: ResetOffsetsRequest): Promise<CommittedOffset[]> {
    return resetOffsets(this.#parts, request);
  }

  deleteGroup(group: string): Promise<void> {
    return this.#parts.members.run(this.#delete(group));
  }

  *#delete(group: string): Steps<Promise<void>> {
    yield;
    const { journal } = this.#parts;
    const { members } = journal.group(group);
    if (members.size > 0) {
      throw new GroupNotEmptyError(`group ${group} has ${members.size} members: stop them first`, {
        group,
        actual: members.size,
      });
    }
    return journal.append([{ group, at: journal.now(), isDeleted: true }]);
  }

  /** Called when topics were created. */
  topicsChanged(): void {
    const { journal, members: all } = this.#parts;
    if (this.failure !== undefined) return;
    for (const [group, { members }] of journal.groups) {
      if (members.size > 0) all.input(group, { type: "topicsChanged" });
    }
  }

  /**
   * Called when a topic was deleted. Resolves when its offsets have been removed from all groups;
   * `durable` resolves when that is durable.
   */
  async topicDeleted(topic: string): Promise<Decided> {
    const { journal, members: all } = this.#parts;
    if (this.failure !== undefined) return { durable: Promise.resolve() }; // the next open finds that it is gone
    const concerned = [...journal.groups.values()].filter(
      ({ members, commits }) => members.size > 0 || commits.has(topic),
    );
    const decided = await Promise.all(
      concerned.map(({ group }) => all.input(group, { type: "topicDeleted", topic }).decided()),
    );
    return allDecided(decided);
  }

  /** @param why what members and callers that wait are told */
  async close(why: LogStoreError = new ClosedError("the broker is closed")): Promise<void> {
    const { journal, members } = this.#parts;
    members.takeTurns();
    journal.fail(why);
    await journal.close();
  }
}
