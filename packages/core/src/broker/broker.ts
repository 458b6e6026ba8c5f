/** Many topics under one data directory, without a transport: the protocol's API, embedded. */
import {
  ClosedError,
  defaultBatchLimits,
  InvalidArgumentError,
  type LogStoreError,
  UnavailableError,
} from "@logstore/codec";
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
import type { Engine } from "../engine/engine.js";
import type { Topic } from "../engine/topic-catalogue.js";
import { FileEngine } from "../file-engine/file-engine.js";
import type { FileTopic } from "../file-engine/file-topic.js";
import { GroupCoordinator } from "../group/group-coordinator.js";
import { allSettled, runAll } from "../storage/run-all.js";
import { withStorageErrors } from "../storage/storage-error.js";
import type { LogStore, RecoveryReport } from "../store/log-store.js";
import { boundsOf } from "./bounds.js";
import {
  type BrokerOptions,
  checkBrokerOptions,
  checkEngineBrokerOptions,
  type EngineBrokerOptions,
} from "./broker-options.js";
import { listTopics } from "./list-topics.js";
import { PartitionCalls } from "./partition-calls.js";
import { ProducerIds } from "./producer-ids.js";
import type { UnreadableSnapshot } from "./snapshots/snapshot-directories.js";
import { Snapshots } from "./snapshots/snapshots.js";
import { TopicTotals } from "./topics/topic-limits.js";
import { type OpeningProgress, Topics } from "./topics/topics.js";
import { topicsForGroups } from "./topics-for-groups.js";

/** A call to groups may be repeated after so long while they are being opened, ms. */
const GROUPS_RETRY_MS = 250;

/** A topic's directory that could not be opened: the others are served none the less. */
export interface UnreadableTopic {
  readonly directory: string;
  /** Undefined where not even its name can be read. */
  readonly topic: string | undefined;
  readonly error: LogStoreError;
}

/** What opening a broker found that a clean close would not have left. */
export interface BrokerRecovery {
  readonly partitions: readonly ({ readonly topic: string } & RecoveryReport)[];
  readonly unreadable: readonly UnreadableTopic[];
  readonly unreadableSnapshots: readonly UnreadableSnapshot[];
  /** Why consumer groups are not served, if so: topics are none the less. */
  readonly groups: LogStoreError | undefined;
}

/** What only a broker on files has. */
interface Files {
  readonly topics: Topics<FileTopic>;
  readonly snapshots: Snapshots;
}

/**
 * Many topics under one data directory, with idempotent producers, consumer groups and snapshots.
 * It implements LogApi: a server serves it, and a client takes it as it would take a server's
 * address.
 */
export class Broker implements LogApi, TopicHealthApi, AsyncDisposable {
  readonly #engine: Engine;
  readonly #topics: Topics;
  readonly #partitions: PartitionCalls;
  readonly #producerIds: ProducerIds;
  readonly #filesOrNone: Files | undefined;
  /** Undefined until every topic is open: what is committed is held against where the logs end. */
  #groupsOrNone: GroupCoordinator | undefined;
  #opened: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(engine: Engine, topics: Topics, files: Files | undefined) {
    this.#engine = engine;
    this.#topics = topics;
    this.#partitions = new PartitionCalls(topics);
    this.#producerIds = new ProducerIds(engine.map);
    this.#filesOrNone = files;
    engine.onHealth(() => topics.tellChanged());
  }

  /**
   * Opens a data directory, making it where there is none; ":memory:" is a new one in memory.
   *
   * @throws LockedError, NotALogStoreError, UnsupportedFormatVersionError, InvalidArgumentError,
   * StorageFailedError
   */
  static open(directory: string, options: BrokerOptions = {}): Promise<Broker> {
    return withStorageErrors(`${directory} cannot be opened`, async () => {
      checkBrokerOptions(options);
      const totals = new TopicTotals(options);
      const engine = await FileEngine.open(directory, options);
      return Broker.#openOn(engine, options, totals, async (topics) => {
        return { topics, snapshots: await Snapshots.open(engine, topics, totals) };
      });
    });
  }

  /**
   * Opens a broker on an engine, which it closes when it is closed, and where it cannot be opened.
   *
   * @throws InvalidArgumentError; what the engine throws
   */
  static async openOn(engine: Engine, options: EngineBrokerOptions = {}): Promise<Broker> {
    checkEngineBrokerOptions(options);
    return Broker.#openOn(engine, options, new TopicTotals(options), async () => undefined);
  }

  static async #openOn<T extends Topic>(
    engine: Engine<T>,
    options: EngineBrokerOptions,
    totals: TopicTotals,
    openFiles: (topics: Topics<T>) => Promise<Files | undefined>,
  ): Promise<Broker> {
    let topics: Topics<T> | undefined;
    try {
      topics = await Topics.open(engine.catalogue, totals);
      const broker = new Broker(engine, topics, await openFiles(topics));
      broker.#opened = broker.#openGroups(options);
      if (options.waitForTopics === false)
        broker.#opened.catch(() => {}); // whoever asks for it is told
      else await broker.#opened;
      return broker;
    } catch (error) {
      await topics?.close().catch(() => {});
      await engine.close().catch(() => {});
      throw error;
    }
  }

  async #openGroups(options: EngineBrokerOptions): Promise<void> {
    await this.#topics.opened;
    if (this.#closing !== undefined) return;
    const topics = topicsForGroups(this.#topics, this.#engine);
    this.#groupsOrNone = await GroupCoordinator.open(this.#engine, topics, options);
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
    const { topics, snapshots } = this.#filesOrNone ?? {};
    return {
      partitions: (topics?.list() ?? []).flatMap(({ topic, store }) =>
        store.recovery.map((each) => ({ topic, ...each })),
      ),
      unreadable: this.#topics.unreadable.map(({ location, topic, error }) => ({ directory: location, topic, error })),
      unreadableSnapshots: snapshots?.unreadable ?? [],
      groups: this.#groupsOrNone?.failure,
    };
  }

  async describeServer(): Promise<ServerDescription> {
    return {
      limits: {
        maxBatchBytes: this.#engine.maxBatchBytes,
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
   * Why nothing is written any more, if so: of files, the data directory is gone or replaced, or
   * another writer has it.
   */
  get failure(): LogStoreError | undefined {
    return this.#engine.failure;
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
    return this.#partitions.deleteRecords(topic, partition, before, topicId);
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
  async createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription> {
    return this.#files("snapshots").snapshots.create(topic, snapshot);
  }

  /** By topic and name. Those of one topic, also of one that was deleted; or all. */
  async listSnapshots(topic?: string): Promise<SnapshotDescription[]> {
    return this.#files("snapshots").snapshots.list(topic);
  }

  /** @throws UnknownSnapshotError */
  async deleteSnapshot(topic: string, snapshot: string): Promise<void> {
    return this.#files("snapshots").snapshots.delete(topic, snapshot);
  }

  /**
   * Makes a new topic of a snapshot, with its records at their offsets, its producers and its
   * configuration; a snapshot that is not what it was is refused.
   *
   * @throws UnknownSnapshotError, TopicExistsError, InvalidArgumentError, CorruptPartitionError,
   * NotALogStoreError
   */
  async restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription> {
    const restored = await this.#files("snapshots").snapshots.restore(topic, snapshot, newTopic);
    this.#groupsOrNone?.topicsChanged();
    return this.#describe(restored);
  }

  /**
   * A topic's log store, for those who embed the broker.
   *
   * @throws UnknownTopicError; InvalidArgumentError where the engine keeps no files
   */
  topic(topic: string): LogStore {
    return this.#files("log stores").topics.get(topic).store;
  }

  produce(request: ProduceRequest): Promise<ProduceAck> {
    return this.#partitions.produce(request);
  }

  consume(request: ConsumeRequest, options: ConsumeOptions = {}): AsyncGenerator<ConsumeEvent, void> {
    return this.#partitions.consume(request, options);
  }

  fetch(request: FetchRequest, options: FetchOptions = {}): Promise<FetchResult> {
    return this.#partitions.fetch(request, options);
  }

  listOffsets(request: ListOffsetsRequest): Promise<PartitionOffset[]> {
    return this.#partitions.listOffsets(request);
  }

  async #describe(found: Topic): Promise<TopicDescription> {
    const { topic, id, config, partitioner, partitionCount } = found;
    const logs = Array.from({ length: partitionCount }, (_, partition) => found.log(partition));
    await Promise.all(logs.map((log) => log.refresh()).filter((learning) => learning !== undefined));
    const partitions = logs.map((log) => ({ partition: log.partition, ...boundsOf(log) }));
    const effectiveConfig = this.#topics.effectiveConfig(config);
    const { durabilities } = this.#engine;
    return { topic, topicId: id, partitioner, partitions, config, effectiveConfig, durabilities };
  }

  /** @throws InvalidArgumentError where the engine keeps no files */
  #files(what: string): Files {
    if (this.#filesOrNone !== undefined) return this.#filesOrNone;
    throw new InvalidArgumentError(`this broker keeps no ${what}: its engine is "${this.#engine.name}", not files`);
  }

  /** Finishes what waits, makes everything durable, and lets go of the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await withStorageErrors("the broker was closed, but not cleanly", () =>
      runAll(
        () => this.#filesOrNone?.snapshots.close(),
        () => allSettled([this.#closeGroups(), this.#topics.close()]),
        () => this.#producerIds.settle(),
        () => this.#engine.close(),
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
