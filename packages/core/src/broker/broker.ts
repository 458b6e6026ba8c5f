/** Many topics under one data directory, without a transport: the protocol's API, embedded. */
import { ClosedError, defaultBatchLimits, LogStoreError, UnavailableError } from "@logstore/codec";
import type {
  CommitOffsetsRequest,
  CommitResult,
  CommittedOffset,
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  CreateTopicRequest,
  FetchOptions,
  FetchRequest,
  FetchResult,
  GroupCallOptions,
  GroupDescription,
  GroupMembership,
  GroupSummary,
  JoinGroupRequest,
  ListOffsetsRequest,
  LogApi,
  PartitionOffset,
  Position,
  ProduceAck,
  ProduceRequest,
  ResetOffsetsRequest,
  ServerDescription,
  SnapshotDescription,
  TopicConfig,
  TopicConfigChange,
  TopicDescription,
  TopicHealth,
  TopicHealthApi,
  TopicOptions,
  TopicPartition,
  TopicSummary,
} from "@logstore/protocol";
import { GroupCoordinator } from "../group/group-coordinator.js";
import type { GroupLimitOptions } from "../group/state/group-totals.js";
import type { PartitionLog } from "../partition/partition-log.js";
import { STORED_BATCH_LIMITS } from "../segment/read-batches.js";
import type { DirectoryGuard } from "../storage/directory-guard.js";
import { FilePool } from "../storage/file-pool.js";
import { MemoryStorage } from "../storage/memory-storage.js";
import { NodeStorage } from "../storage/node-storage.js";
import { allSettled, runAll } from "../storage/run-all.js";
import type { Lock } from "../storage/storage.js";
import { withStorageErrors } from "../storage/storage-error.js";
import type { LogStore, RecoveryReport } from "../store/log-store.js";
import { tellNewDirectory } from "../store/new-directory.js";
import { type LogStoreOptions, resolveOptions } from "../store/options.js";
import { stoppable } from "../store/stoppable.js";
import { boundsOf } from "./bounds.js";
import { isBrokerDirectory, makeBrokerDirectory } from "./broker-file.js";
import { checkBrokerOptions } from "./check-broker-options.js";
import { consume } from "./consume.js";
import { fetch } from "./fetch.js";
import { listPositions } from "./list-offsets.js";
import { listTopics } from "./list-topics.js";
import { ProducerIds } from "./producer-ids.js";
import { Snapshots, type UnreadableSnapshot } from "./snapshots.js";
import { type TopicLimitOptions, TopicTotals } from "./topic-limits.js";
import { type OpeningProgress, type Topic, Topics, type UnreadableTopic } from "./topics.js";
import { topicsForGroups } from "./topics-for-groups.js";

/** After so long a call to groups may be tried again while they are being opened, ms. */
const GROUPS_RETRY_MS = 250;

/**
 * Options that hold for every topic, see {@link LogStoreOptions}, for all of them together and for
 * groups.
 */
export interface BrokerOptions
  extends Omit<LogStoreOptions, "partitions" | "partitioner">,
    GroupLimitOptions,
    TopicLimitOptions {
  /**
   * A consumer group without members is forgotten after so long, ms, with all that it committed.
   * Default 7 days.
   */
  readonly offsetsRetentionMs?: number | undefined;
  /**
   * Whether `open` waits until every topic is open. Default true. With false it resolves as soon as
   * the topics are known, and they are opened meanwhile: until it is open, a topic answers with an
   * UnavailableError, and so does all that needs every topic, such as groups. See
   * {@link Broker.opened}.
   */
  readonly waitForTopics?: boolean | undefined;
}

/** What opening a broker found that a clean close would not have left. */
export interface BrokerRecovery {
  readonly partitions: readonly ({ readonly topic: string } & RecoveryReport)[];
  readonly unreadable: readonly UnreadableTopic[];
  readonly unreadableSnapshots: readonly UnreadableSnapshot[];
  /** Why consumer groups are not served, if so: topics are none the less. */
  readonly groups: LogStoreError | undefined;
}

/**
 * Many topics under one data directory, with idempotent producers, consumer groups and snapshots.
 * It implements LogApi: a server serves it, and a client takes it as it would take a server's
 * address.
 */
export class Broker implements LogApi, TopicHealthApi, AsyncDisposable {
  readonly #topics: Topics;
  readonly #snapshots: Snapshots;
  /** Undefined until every topic is open: what is committed is held against where the logs end. */
  #groupsOrNone: GroupCoordinator | undefined;
  readonly #producerIds: ProducerIds;
  readonly #lock: Lock;
  readonly #guard: DirectoryGuard;
  #opened: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(
    topics: Topics,
    snapshots: Snapshots,
    producerIds: ProducerIds,
    lock: Lock,
    guard: DirectoryGuard,
  ) {
    this.#topics = topics;
    this.#snapshots = snapshots;
    this.#producerIds = producerIds;
    this.#lock = lock;
    this.#guard = guard;
    guard.failed.add(() => topics.tellChanged());
  }

  /**
   * Opens a data directory, making it where there is none; ":memory:" is a new one in memory.
   *
   * @throws LockedError, NotALogStoreError, UnsupportedFormatVersionError, InvalidArgumentError,
   * StorageFailedError
   */
  static open(directory: string, options: BrokerOptions = {}): Promise<Broker> {
    return withStorageErrors(`${directory} cannot be opened`, () => Broker.#open(directory, options));
  }

  static async #open(directory: string, options: BrokerOptions): Promise<Broker> {
    checkBrokerOptions(options);
    const totals = new TopicTotals(options);
    const inner = options.storage ?? (directory === ":memory:" ? new MemoryStorage() : new NodeStorage());
    const path = directory.replace(/(?<=.)\/+$/, "");
    const { maxOpenFiles, hooks } = resolveOptions(options);
    const storage = new FilePool(inner, maxOpenFiles, path, hooks.warned);
    await isBrokerDirectory(storage, path); // a look before anything is touched
    await storage.makeParents(path);
    await storage.makeDirectory(path);
    const lock = await storage.lock(path);
    try {
      if (!(await isBrokerDirectory(storage, path))) {
        await makeBrokerDirectory(storage, path);
        tellNewDirectory(hooks, directory, "data");
      }
      const topics = await Topics.open(storage, path, options, totals);
      try {
        const snapshots = await Snapshots.open(storage, path, topics, totals);
        const broker = new Broker(topics, snapshots, new ProducerIds(storage, path), lock, storage.guard);
        broker.#opened = broker.#openGroups(storage, path, options);
        if (options.waitForTopics === false)
          broker.#opened.catch(() => {}); // whoever asks for it is told
        else await broker.#opened;
        return broker;
      } catch (error) {
        await topics.close().catch(() => {});
        throw error;
      }
    } catch (error) {
      await lock.release().catch(() => {});
      throw error;
    }
  }

  async #openGroups(storage: FilePool, path: string, options: BrokerOptions): Promise<void> {
    await this.#topics.opened;
    if (this.#closing !== undefined) return;
    const topics = topicsForGroups(this.#topics, storage);
    this.#groupsOrNone = await GroupCoordinator.open(storage, path, topics, options);
    this.#topics.tellChanged();
  }

  /**
   * Resolves when all that was found in the data directory is open: at once, unless it was opened
   * with `waitForTopics: false`.
   */
  get opened(): Promise<void> {
    return this.#opened;
  }

  /** How far opening is. */
  get progress(): OpeningProgress {
    return this.#topics.progress;
  }

  /** @throws UnavailableError while topics are being opened */
  get #groups(): GroupCoordinator {
    if (this.#groupsOrNone !== undefined) return this.#groupsOrNone;
    this.#topics.checkAllOpen();
    throw new UnavailableError("consumer groups are being opened: try again", { retryAfterMs: GROUPS_RETRY_MS });
  }

  /**
   * What opening found that a clean close would not have left, and the topics and snapshots that
   * could not be read at all.
   */
  get recovery(): BrokerRecovery {
    const found = this.#topics.list().flatMap(({ topic, store }) => store.recovery.map((each) => ({ topic, ...each })));
    const [{ unreadable }, { unreadable: unreadableSnapshots }] = [this.#topics, this.#snapshots];
    return { partitions: found, unreadable, unreadableSnapshots, groups: this.#groupsOrNone?.failure };
  }

  async describeServer(): Promise<ServerDescription> {
    return {
      limits: {
        maxBatchBytes: STORED_BATCH_LIMITS.maxBatchBytes,
        maxRecordsBytes: Math.max(defaultBatchLimits.maxRecordsBytes, this.#topics.largestBatchBytes()),
      },
    };
  }

  async createTopic({ topic, partitions, config, ifNotExists }: CreateTopicRequest): Promise<TopicDescription> {
    const created = await this.#topics.create(topic, partitions, config, ifNotExists);
    this.#groupsOrNone?.topicsChanged();
    return this.#describe(created);
  }

  /**
   * All topics, by name, those that are still being opened included; those that cannot be opened
   * have a `damage`.
   */
  async listTopics(): Promise<TopicSummary[]> {
    return listTopics(this.#topics);
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    return this.#describe(this.#topics.get(topic));
  }

  /**
   * Deletes a topic with all its records, for good. Its readers and writers get a ClosedError.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError
   */
  async deleteTopic(topic: string, { topicId }: TopicOptions = {}): Promise<void> {
    const groups = this.#groups; // they are to forget it
    await this.#topics.delete(topic, () => groups.topicDeleted(topic), topicId);
  }

  async topicHealth(topic: string): Promise<TopicHealth> {
    return this.#topics.isSound(topic) ? "serving" : "failed";
  }

  async storageHealth(): Promise<TopicHealth> {
    return this.failure === undefined ? "serving" : "failed";
  }

  async startupHealth(): Promise<TopicHealth> {
    return this.#groupsOrNone === undefined ? "failed" : "serving";
  }

  /**
   * Why nothing is written any more, if so: the data directory is gone or replaced, or another
   * writer has it.
   */
  get failure(): LogStoreError | undefined {
    return this.#guard.failure;
  }

  onTopicHealth(changed: () => void): () => void {
    this.#topics.changed.add(changed);
    return () => void this.#topics.changed.delete(changed);
  }

  /** A topic's own configuration; what is not in it is the broker's. @throws UnknownTopicError */
  topicConfig(topic: string): TopicConfig {
    return this.#topics.get(topic).config;
  }

  /**
   * Alters a topic's configuration, at once and for good: what is left out stays, what is null goes
   * back to the broker's own.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, InvalidArgumentError, and nothing is
   * changed
   */
  async alterTopicConfig(
    topic: string,
    change: TopicConfigChange,
    { topicId }: TopicOptions = {},
  ): Promise<TopicConfig> {
    return (await this.#topics.alter(topic, change, topicId)).config;
  }

  /**
   * Deletes every record of a partition before a position. Resolves to the log start offset when
   * that is durable.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError,
   * OffsetOutOfRangeError, StorageFailedError, CorruptPartitionError
   */
  async deleteRecords(
    topic: string,
    partition: number,
    before: Position,
    { topicId }: TopicOptions = {},
  ): Promise<number> {
    try {
      const { store } = this.#topics.get(topic, topicId);
      await store.deleteRecords(partition, await store.log(partition).resolve(before));
      return store.partition(partition).startOffset;
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  /** A producer id that was never handed out before and never will be again, whatever crashes. */
  async allocateProducerId(): Promise<number> {
    if (this.#closing !== undefined) throw new ClosedError("the broker is closed");
    return this.#producerIds.next();
  }

  joinGroup(request: JoinGroupRequest, options?: GroupCallOptions): GroupMembership {
    return this.#groups.joinGroup(request, options);
  }

  async commitOffsets(request: CommitOffsetsRequest, options?: GroupCallOptions): Promise<CommitResult[]> {
    return this.#groups.commitOffsets(request, options);
  }

  async fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#groups.fetchOffsets(group, partitions);
  }

  async listGroups(): Promise<GroupSummary[]> {
    return this.#groups.listGroups();
  }

  async describeGroup(group: string): Promise<GroupDescription> {
    return this.#groups.describeGroup(group);
  }

  async resetOffsets(request: ResetOffsetsRequest): Promise<CommittedOffset[]> {
    return this.#groups.resetOffsets(request);
  }

  async deleteGroup(group: string): Promise<void> {
    return this.#groups.deleteGroup(group);
  }

  /**
   * Copies a topic as it is at one moment, without stopping who writes: everything below the high
   * watermarks of that moment, durable when this resolves. Meanwhile the topic is neither altered
   * nor deleted.
   *
   * @throws UnknownTopicError, SnapshotExistsError, InvalidArgumentError; CorruptPartitionError and
   * StorageFailedError where a partition takes no appends
   */
  createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription> {
    return this.#snapshots.create(topic, snapshot);
  }

  /** By topic and name. Those of one topic, also of one that was deleted; or all. */
  listSnapshots(topic?: string): Promise<SnapshotDescription[]> {
    return this.#snapshots.list(topic);
  }

  /** @throws UnknownSnapshotError */
  deleteSnapshot(topic: string, snapshot: string): Promise<void> {
    return this.#snapshots.delete(topic, snapshot);
  }

  /**
   * Makes a new topic of a snapshot, with its records at their offsets, its producers and its
   * configuration; a snapshot that is not what it was is refused.
   *
   * @throws UnknownSnapshotError, TopicExistsError, InvalidArgumentError, CorruptPartitionError,
   * NotALogStoreError
   */
  async restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription> {
    const restored = await this.#snapshots.restore(topic, snapshot, newTopic);
    this.#groupsOrNone?.topicsChanged();
    return this.#describe(restored);
  }

  /** A topic's log store, for those who embed the broker. */
  topic(topic: string): LogStore {
    return this.#topics.get(topic).store;
  }

  async produce({
    topic,
    topicId,
    partition,
    batches,
    durability,
    expectedOffset,
  }: ProduceRequest): Promise<ProduceAck> {
    try {
      const log = this.#log(topic, topicId, partition);
      const appended = await log.appendBatches(batches, { durability, expectedOffset });
      return { ...appended, logEndOffset: log.offsets.logEnd };
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  consume(request: ConsumeRequest, options: ConsumeOptions = {}): AsyncGenerator<ConsumeEvent, void> {
    return stoppable((stop) => {
      const { signal } = options;
      const either = signal === undefined ? stop : AbortSignal.any([signal, stop]);
      return this.#consume(request, { ...options, signal: either });
    });
  }

  async *#consume(request: ConsumeRequest, options: ConsumeOptions): AsyncGenerator<ConsumeEvent, void> {
    const { topic, topicId, partition } = request;
    try {
      yield* consume(this.#log(topic, topicId, partition), request, options);
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  async fetch(request: FetchRequest, options: FetchOptions = {}): Promise<FetchResult> {
    const { topic, topicId, partition } = request;
    try {
      return await fetch(this.#log(topic, topicId, partition), request, options);
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  async listOffsets({ topic, topicId, partitions }: ListOffsetsRequest): Promise<PartitionOffset[]> {
    const { id, store } = this.#topics.get(topic, topicId);
    return listPositions(partitions, async (partition, position) => {
      try {
        const log = store.log(partition);
        const resolved = await log.resolve(position);
        // An offset that was asked for is there, or that is an error; for any other, the log's
        // start may have moved meanwhile.
        const isExact = typeof position === "number";
        const offset = isExact ? log.reader(resolved).offset : Math.max(resolved, log.offsets.logStart);
        return { topicId: id, partition, offset, ...boundsOf(log) };
      } catch (error) {
        throw within(topic, partition, error);
      }
    });
  }

  #describe({ topic, id, store, config }: Topic): TopicDescription {
    const partitions = Array.from({ length: store.partitionCount }, (_, partition) => {
      return { partition, ...boundsOf(store.log(partition)) };
    });
    const effectiveConfig = this.#topics.effectiveConfig(config);
    return { topic, topicId: id, partitioner: store.partitioner, partitions, config, effectiveConfig };
  }

  /** @throws UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError */
  #log(topic: string, topicId: string | undefined, partition: number): PartitionLog {
    return this.#topics.get(topic, topicId).store.log(partition);
  }

  /** Finishes what waits, makes everything durable, and lets go of the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await withStorageErrors("the broker was closed, but not cleanly", () =>
      runAll(
        () => this.#snapshots.close(),
        () => allSettled([this.#closeGroups(), this.#topics.close()]),
        () => this.#producerIds.settle(),
        () => this.#lock.release(),
      ),
    );
  }

  async #closeGroups(): Promise<void> {
    await this.#opened.catch(() => {});
    await this.#groupsOrNone?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** An error of one partition, told with the topic that the partition does not know. */
function within(topic: string, partition: number, error: unknown): unknown {
  if (!(error instanceof LogStoreError) || error.topic !== undefined) return error;
  return error.with({ topic, partition });
}
