/** The API of the protocol, embedded: many topics on one engine, without a transport. */
import { ClosedError, defaultBatchLimits, InvalidArgumentError, type LogStoreError } from "@logstore/codec";
import type {
  ClusterApi,
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
import type { GroupCoordinator } from "../group/group-coordinator.js";
import { allSettled, runAll } from "../storage/run-all.js";
import { withStorageErrors } from "../storage/storage-error.js";
import type { LogStore } from "../store/log-store.js";
import type { BrokerOptions, EngineBrokerOptions } from "./broker-options.js";
import { type BrokerRecovery, recoveryOf } from "./broker-recovery.js";
import { describeTopic } from "./describe-topic.js";
import { listTopics } from "./list-topics.js";
import { type BrokerFiles, type BrokerParts, openOnEngine, openOnFiles } from "./open-broker.js";
import { PartitionCalls } from "./partition-calls.js";
import { ProducerIds } from "./producer-ids.js";
import type { OpeningProgress, Topics } from "./topics/topics.js";

/**
 * Many topics under one data directory, with idempotent producers, consumer groups and snapshots.
 * Implements LogApi: a server serves it, and a client takes it in place of a server's address.
 */
export class Broker implements LogApi, TopicHealthApi, ClusterApi, AsyncDisposable {
  readonly #parts: BrokerParts;
  readonly #partitions: PartitionCalls;
  readonly #producerIds: ProducerIds;
  #closing: Promise<void> | undefined;

  private constructor(parts: BrokerParts) {
    this.#parts = parts;
    this.#partitions = new PartitionCalls(parts.lifecycle.following, parts.engine.cluster);
    this.#producerIds = new ProducerIds(parts.engine.map);
  }

  /**
   * Opens a data directory, and creates it if it does not exist. ":memory:" is a new one in memory.
   *
   * @throws LockedError, NotALogStoreError, UnsupportedFormatVersionError, InvalidArgumentError,
   * StorageFailedError
   */
  static async open(directory: string, options: BrokerOptions = {}): Promise<Broker> {
    return new Broker(await openOnFiles(directory, options));
  }

  /**
   * Opens a broker on an engine. The engine is closed when the broker is closed, or cannot be
   * opened.
   *
   * @throws InvalidArgumentError; the errors of the engine
   */
  static async openOn(engine: Engine, options: EngineBrokerOptions = {}): Promise<Broker> {
    return new Broker(await openOnEngine(engine, options));
  }

  /**
   * Resolves when all topics and groups found in the data directory are open. They are open from
   * the start, unless the broker was opened with `waitForTopics: false`.
   */
  get opened(): Promise<void> {
    return this.#parts.groups.opened;
  }

  /** The progress of opening. */
  get progress(): OpeningProgress {
    return this.#topics.progress;
  }

  /**
   * What opening found, apart from what a clean close leaves, and the topics and snapshots that
   * cannot be read.
   */
  get recovery(): BrokerRecovery {
    return recoveryOf(this.#parts);
  }

  /**
   * Why the broker cannot write; undefined if it can. On files: the data directory was removed or
   * replaced, or another process has locked it.
   */
  get failure(): LogStoreError | undefined {
    return this.#parts.engine.failure;
  }

  async describeServer(): Promise<ServerDescription> {
    const { maxBatchBytes } = this.#parts.engine;
    const maxRecordsBytes = Math.max(defaultBatchLimits.maxRecordsBytes, this.#topics.largestBatchBytes());
    return { limits: { maxBatchBytes, maxRecordsBytes } };
  }

  // Topics

  async createTopic({ topic, partitions, config, ifNotExists }: CreateTopicRequest): Promise<TopicDescription> {
    const created = await this.#parts.lifecycle.create(topic, partitions, config, ifNotExists);
    this.#parts.groups.topicsChanged();
    return describeTopic(this.#parts.engine, created);
  }

  async listTopics(): Promise<TopicSummary[]> {
    return listTopics(this.#topics, this.#parts.engine.catalogue);
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    return describeTopic(this.#parts.engine, await this.#parts.lifecycle.following.get(topic));
  }

  async alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig> {
    return (await this.#parts.lifecycle.alter(topic, change, options?.topicId)).config;
  }

  async deleteTopic(topic: string, options?: TopicOptions): Promise<void> {
    const { groups } = this.#parts;
    groups.checkOpen(); // refused while they cannot drop its offsets
    await this.#parts.lifecycle.delete(topic, () => groups.topicDeleted(topic), options?.topicId);
  }

  async deleteRecords(topic: string, partition: number, before: Position, options?: TopicOptions): Promise<number> {
    return this.#partitions.deleteRecords(topic, partition, before, options?.topicId);
  }

  /**
   * A topic's own configuration. Options that it leaves out have the broker's defaults.
   *
   * @throws UnknownTopicError
   */
  topicConfig(topic: string): TopicConfig {
    return this.#topics.get(topic).config;
  }

  /**
   * A topic's log store, for programs that embed the broker.
   *
   * @throws UnknownTopicError; InvalidArgumentError if the engine does not store files
   */
  topic(topic: string): LogStore {
    return this.#files("log stores").topics.get(topic).store;
  }

  // Records

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

  async allocateProducerId(): Promise<number> {
    if (this.#closing !== undefined) throw new ClosedError("the broker is closed");
    return this.#producerIds.next();
  }

  // Consumer groups

  joinGroup(request: JoinGroupRequest, options?: GroupCallOptions): GroupMembership {
    const membership = this.#coordinatorOf(request.group).joinGroup(request, options);
    this.#parts.lifecycle.following.expect(request.topics);
    return membership;
  }

  async commitOffsets(request: CommitOffsetsRequest, options?: GroupCallOptions): Promise<CommitResult[]> {
    return this.#coordinatorOf(request.group).commitOffsets(request, options);
  }

  async fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#coordinatorOf(group).fetchOffsets(group, partitions);
  }

  /** In a cluster, the groups that this broker coordinates. */
  async listGroups(): Promise<GroupSummary[]> {
    return this.#parts.groups.listGroups();
  }

  async describeGroup(group: string): Promise<GroupDescription> {
    return this.#coordinatorOf(group).describeGroup(group);
  }

  async resetOffsets(request: ResetOffsetsRequest): Promise<CommittedOffset[]> {
    return this.#coordinatorOf(request.group).resetOffsets(request);
  }

  async deleteGroup(group: string): Promise<void> {
    return this.#coordinatorOf(group).deleteGroup(group);
  }

  // Snapshots

  async createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription> {
    return this.#files("snapshots").snapshots.create(topic, snapshot);
  }

  async listSnapshots(topic?: string): Promise<SnapshotDescription[]> {
    return this.#files("snapshots").snapshots.list(topic);
  }

  async deleteSnapshot(topic: string, snapshot: string): Promise<void> {
    return this.#files("snapshots").snapshots.delete(topic, snapshot);
  }

  async restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription> {
    const restored = await this.#files("snapshots").snapshots.restore(topic, snapshot, newTopic);
    this.#parts.groups.topicsChanged();
    return describeTopic(this.#parts.engine, restored);
  }

  // Health

  async topicHealth(topic: string): Promise<TopicHealth> {
    await this.#parts.lifecycle.following.learn(topic);
    return this.#topics.isSound(topic) && this.#isAvailable ? "serving" : "failed";
  }

  async storageHealth(): Promise<TopicHealth> {
    return this.failure === undefined ? "serving" : "failed";
  }

  async serviceHealth(): Promise<TopicHealth> {
    return this.#isAvailable ? "serving" : "failed";
  }

  async groupsHealth(): Promise<TopicHealth> {
    return this.#isAvailable && this.#parts.groups.areAvailable ? "serving" : "failed";
  }

  async startupHealth(): Promise<TopicHealth> {
    return this.#parts.groups.areOpen ? "serving" : "failed";
  }

  onTopicHealth(changed: () => void): () => void {
    this.#topics.changed.add(changed);
    return () => void this.#topics.changed.delete(changed);
  }

  otherBrokers(): readonly string[] {
    return this.#parts.engine.cluster?.otherAddresses ?? [];
  }

  /**
   * Lets a broker whose engine is on standby own partitions and groups of the cluster. Call it when
   * the server listens. Without a standby it has no effect.
   */
  async join(): Promise<void> {
    await this.opened.catch(() => {}); // what could not be opened is reported elsewhere
    await this.#parts.engine.cluster?.join();
  }

  /**
   * Gives the partitions and groups to the other brokers of the cluster, if there are any. Calls
   * for them fail with a NotOwnerError from then on. Call it before the server stops. Resolves
   * after a bounded time, whether or not that succeeded.
   */
  async drain(): Promise<void> {
    await this.#parts.engine.cluster?.drain();
  }

  /** Completes pending calls, makes everything durable, and unlocks the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { engine, lifecycle, groups, files } = this.#parts;
    await this.drain().catch(() => {}); // the others take over when the lease has expired
    groups.stopOpening();
    await withStorageErrors("the broker was closed, but not cleanly", () =>
      runAll(
        () => files?.snapshots.close(),
        () => allSettled([groups.close(), lifecycle.close()]),
        () => this.#producerIds.settle(),
        () => engine.close(),
      ),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isAvailable(): boolean {
    return this.#parts.engine.unavailable === undefined;
  }

  get #topics(): Topics {
    return this.#parts.lifecycle.topics;
  }

  /** @throws UnavailableError until the groups are open; NotOwnerError */
  #coordinatorOf(group: string): GroupCoordinator {
    return this.#parts.groups.coordinatorOf(group);
  }

  /** @throws InvalidArgumentError if the engine does not store files */
  #files(what: string): BrokerFiles {
    const { engine, files } = this.#parts;
    if (files !== undefined) return files;
    throw new InvalidArgumentError(`this broker keeps no ${what}: its engine is "${engine.name}", not files`);
  }
}
