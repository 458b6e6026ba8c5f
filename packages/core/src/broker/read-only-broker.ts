/** A broker's data directory, or a log store, read while another process may be writing to it. */
import { defaultBatchLimits, InvalidArgumentError } from "@logstore/codec";
import type {
  CommitResult,
  CommittedOffset,
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  FetchOptions,
  FetchRequest,
  FetchResult,
  GroupDescription,
  GroupMembership,
  GroupSummary,
  ListOffsetsRequest,
  LogApi,
  PartitionOffset,
  ProduceAck,
  ServerDescription,
  SnapshotDescription,
  TopicConfig,
  TopicDescription,
  TopicPartition,
  TopicSummary,
} from "@logstore/protocol";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import { detailOf } from "../errors/error-detail.js";
import { followTopics } from "../file-engine/follow-topics.js";
import type { FollowedTopics } from "../file-engine/followed-catalogue.js";
import { FollowedJournal } from "../file-engine/followed-journal.js";
import { homeOf } from "../storage/home.js";
import { inParallel } from "../storage/in-parallel.js";
import { storageError, withStorageErrors } from "../storage/storage-error.js";
import { checkReadOnlyOptions } from "../store/check-options.js";
import { DEFAULT_MAX_OPEN_FILES, type ReadOnlyOptions } from "../store/options.js";
import { boundsOf } from "./bounds.js";
import { PartitionCalls } from "./partition-calls.js";
import { ReadOnlyGroups } from "./read-only-groups.js";
import { listSnapshots } from "./snapshots/list-snapshots.js";
import { SnapshotDirectories } from "./snapshots/snapshot-directories.js";
import { checkTopicId } from "./topics/check-topic.js";

/**
 * Topics, groups and snapshots of a data directory that another process may write to at the same
 * time. It takes no lock, changes nothing, and shows what the writer has acknowledged. Implements
 * LogApi: a client takes it in place of a server's address. Calls that would change something are
 * refused with an InvalidArgumentError.
 *
 * The directory of a log store, which `LogStore.open` made, has one topic, named like the
 * directory: "logs" for "./logs". The topic of a snapshot has the name of the original.
 *
 * The options of the process that writes are not in its directory: `effectiveConfig` of a topic is
 * empty.
 */
export class ReadOnlyBroker implements LogApi, AsyncDisposable {
  readonly #directory: string;
  readonly #catalogue: FollowedTopics;
  readonly #groups: ReadOnlyGroups;
  readonly #snapshots: SnapshotDirectories;
  readonly #partitions: PartitionCalls;

  private constructor(
    directory: string,
    catalogue: FollowedTopics,
    openJournal: () => FollowedJournal,
    snapshots: SnapshotDirectories,
  ) {
    this.#directory = directory;
    this.#catalogue = catalogue;
    this.#snapshots = snapshots;
    const topics = {
      get: async (topic: string, topicId?: string) => {
        const found = await catalogue.get(topic);
        checkTopicId(found, topicId);
        return found;
      },
    };
    this.#partitions = new PartitionCalls(topics);
    this.#groups = new ReadOnlyGroups(openJournal, topics);
  }

  /** @throws NotALogStoreError, UnsupportedFormatVersionError, StorageFailedError */
  static open(directory: string, options: ReadOnlyOptions = {}): Promise<ReadOnlyBroker> {
    return withStorageErrors(`${directory} cannot be opened`, async () => {
      checkReadOnlyOptions(options);
      const { maxOpenFiles = DEFAULT_MAX_OPEN_FILES, hooks = {} } = options;
      const { path, storage } = homeOf(directory, { storage: options.storage, maxOpenFiles, warned: hooks.warned });
      const catalogue = await followTopics(storage, path, hooks);
      const openJournal = () => {
        catalogue.checkOpen();
        return new FollowedJournal(storage, path, hooks);
      };
      return new ReadOnlyBroker(directory, catalogue, openJournal, new SnapshotDirectories(storage, path));
    });
  }

  async describeServer(): Promise<ServerDescription> {
    return {
      limits: { maxBatchBytes: STORED_BATCH_LIMITS.maxBatchBytes, maxRecordsBytes: defaultBatchLimits.maxRecordsBytes },
    };
  }

  async listTopics(): Promise<TopicSummary[]> {
    const { topics } = await this.#catalogue.find();
    const summaries: TopicSummary[] = [];
    await inParallel(topics, async (found) => {
      const { topic, id = "" } = found;
      try {
        const open = id === "" ? (await this.#catalogue.get(topic)).id : id; // release 0.1.0 gave topics no id
        summaries.push({ topic, topicId: open, partitionCount: await this.#catalogue.partitionCount(found) });
      } catch (cause) {
        const damage = detailOf(storageError(cause, `topic ${topic} cannot be read`, { topic }));
        summaries.push({ topic, topicId: id, partitionCount: 0, damage });
      }
    });
    return summaries.sort((a, b) => (a.topic < b.topic ? -1 : 1));
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    const found = await this.#catalogue.get(topic);
    const { id: topicId, config, partitioner, partitionCount } = found;
    const logs = Array.from({ length: partitionCount }, (_, partition) => found.log(partition));
    await Promise.all(logs.map((log) => log.refresh()));
    const partitions = logs.map((log) => ({ partition: log.partition, ...boundsOf(log) }));
    return { topic, topicId, partitioner, partitions, config, effectiveConfig: {}, durabilities: [] };
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

  listGroups(): Promise<GroupSummary[]> {
    return this.#groups.list();
  }

  describeGroup(group: string): Promise<GroupDescription> {
    return this.#groups.describe(group);
  }

  fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#groups.offsets(group, partitions);
  }

  async listSnapshots(topic?: string): Promise<SnapshotDescription[]> {
    this.#catalogue.checkOpen();
    return listSnapshots(this.#snapshots, topic);
  }

  async produce(): Promise<ProduceAck> {
    throw this.#readOnly();
  }

  async allocateProducerId(): Promise<number> {
    throw this.#readOnly();
  }

  async createTopic(): Promise<TopicDescription> {
    throw this.#readOnly();
  }

  async alterTopicConfig(): Promise<TopicConfig> {
    throw this.#readOnly();
  }

  async deleteTopic(): Promise<void> {
    throw this.#readOnly();
  }

  async deleteRecords(): Promise<number> {
    throw this.#readOnly();
  }

  async createSnapshot(): Promise<SnapshotDescription> {
    throw this.#readOnly();
  }

  async deleteSnapshot(): Promise<void> {
    throw this.#readOnly();
  }

  async restoreSnapshot(): Promise<TopicDescription> {
    throw this.#readOnly();
  }

  joinGroup(): GroupMembership {
    throw this.#readOnly();
  }

  async commitOffsets(): Promise<CommitResult[]> {
    throw this.#readOnly();
  }

  async resetOffsets(): Promise<CommittedOffset[]> {
    throw this.#readOnly();
  }

  async deleteGroup(): Promise<void> {
    throw this.#readOnly();
  }

  /** Ends all readers; later calls fail with a ClosedError. Nothing is left in the directory. */
  close(): Promise<void> {
    return this.#catalogue.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #readOnly(): InvalidArgumentError {
    return new InvalidArgumentError(
      `${this.#directory} is open read-only: make the change through the server or program that writes to it`,
    );
  }
}
