/**
 * A log limited to what one caller is allowed: each method checks the caller's permissions before
 * it calls the log.
 */
import { PermissionDeniedError } from "@logstore/codec";
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
  TopicOptions,
  TopicPartition,
  TopicSummary,
} from "@logstore/protocol";
import { Alterations } from "./alterations.js";
import type { Caller } from "./caller.js";
import { ChargedAppends } from "./charged-appends.js";
import { chargedConsume, chargedFetch } from "./charged-reads.js";
import { guardedMembership } from "./guarded-membership.js";
import { operationOf } from "./operations.js";
import { mayDeleteRecords, namesRetention } from "./retention-change.js";
import { checkTopics, commitChecked, visibleGroup, visiblePartitions, visibleToReset } from "./visible-partitions.js";

export class GuardedLog implements LogApi {
  readonly #api: LogApi;
  readonly #caller: Caller;
  readonly #alterations: Alterations;
  readonly #appends: ChargedAppends;

  /** @param alterations shared by all callers */
  constructor(api: LogApi, caller: Caller, alterations = new Alterations()) {
    this.#api = api;
    this.#caller = caller;
    this.#alterations = alterations;
    this.#appends = new ChargedAppends(api, caller);
  }

  /** Available to every caller; includes the limits of its quota. */
  async describeServer(): Promise<ServerDescription> {
    const { limits, ...description } = await this.#api.describeServer();
    return { ...description, limits: { ...limits, maxConnectionsPerPrincipal: this.#caller.quota?.connections } };
  }

  async createTopic(request: CreateTopicRequest): Promise<TopicDescription> {
    this.#check("createTopic", request.topic);
    // The response may describe a topic that another caller created.
    if (request.ifNotExists) this.#check("describeTopic", request.topic);
    return this.#api.createTopic(request);
  }

  /** Lists the topics that the caller may describe. */
  async listTopics(): Promise<TopicSummary[]> {
    const topics = await this.#api.listTopics();
    return topics.filter(({ topic }) => this.#caller.allows(operationOf.listTopics, topic));
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    this.#check("describeTopic", topic);
    return this.#api.describeTopic(topic);
  }

  async alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig> {
    this.#check("alterTopicConfig", topic);
    return this.#alterations.run(topic, async () => {
      if (namesRetention(change) && !this.#caller.allows(operationOf.deleteRecords, topic)) {
        const { config, effectiveConfig } = await this.#api.describeTopic(topic);
        if (mayDeleteRecords(change, config, effectiveConfig)) this.#check("deleteRecords", topic);
      }
      return this.#api.alterTopicConfig(topic, change, options);
    });
  }

  async deleteTopic(topic: string, options?: TopicOptions): Promise<void> {
    this.#check("deleteTopic", topic);
    return this.#api.deleteTopic(topic, options);
  }

  async deleteRecords(topic: string, partition: number, before: Position, options?: TopicOptions): Promise<number> {
    this.#check("deleteRecords", topic);
    return this.#api.deleteRecords(topic, partition, before, options);
  }

  async createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription> {
    this.#check("createSnapshot", topic);
    return this.#api.createSnapshot(topic, snapshot);
  }

  /** Lists the snapshots of topics that the caller may describe. */
  async listSnapshots(topic?: string): Promise<SnapshotDescription[]> {
    if (topic !== undefined) this.#check("listSnapshots", topic);
    const snapshots = await this.#api.listSnapshots(topic);
    return snapshots.filter((snapshot) => this.#caller.allows(operationOf.listSnapshots, snapshot.topic));
  }

  async deleteSnapshot(topic: string, snapshot: string): Promise<void> {
    this.#check("deleteSnapshot", topic);
    return this.#api.deleteSnapshot(topic, snapshot);
  }

  async restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription> {
    this.#check("restoreSnapshot", topic);
    this.#check("createTopic", newTopic);
    return this.#api.restoreSnapshot(topic, snapshot, newTopic);
  }

  async listOffsets(request: ListOffsetsRequest): Promise<PartitionOffset[]> {
    this.#check("listOffsets", request.topic);
    return this.#api.listOffsets(request);
  }

  async allocateProducerId(): Promise<number> {
    this.#caller.checkSomewhere(operationOf.allocateProducerId);
    return this.#api.allocateProducerId();
  }

  async produce(request: ProduceRequest): Promise<ProduceAck> {
    this.#check("produce", request.topic);
    return this.#appends.produce(request);
  }

  async fetch(request: FetchRequest, options?: FetchOptions): Promise<FetchResult> {
    this.#check("fetch", request.topic);
    return chargedFetch(this.#api, this.#caller, request, options);
  }

  consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncIterable<ConsumeEvent> {
    this.#check("consume", request.topic);
    return chargedConsume(this.#api, this.#caller, request, options);
  }

  joinGroup(request: JoinGroupRequest): GroupMembership {
    return guardedMembership(this.#api, this.#caller, request);
  }

  async commitOffsets(request: CommitOffsetsRequest): Promise<CommitResult[]> {
    this.#check("commitOffsets", request.group);
    return commitChecked(this.#api, request, this.#whose, this.#checkTopic);
  }

  async fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    this.#check("fetchOffsets", group);
    await checkTopics(partitions ?? [], this.#checkTopic);
    return visiblePartitions(await this.#api.fetchOffsets(group, partitions), this.#isVisible);
  }

  /** Lists the groups that the caller may use. */
  async listGroups(): Promise<GroupSummary[]> {
    const groups = await this.#api.listGroups();
    return groups.filter(({ group }) => this.#caller.allows(operationOf.listGroups, group));
  }

  async describeGroup(group: string): Promise<GroupDescription> {
    this.#check("describeGroup", group);
    return await visibleGroup(await this.#api.describeGroup(group), this.#isVisible);
  }

  async resetOffsets(request: ResetOffsetsRequest): Promise<CommittedOffset[]> {
    this.#check("resetOffsets", request.group);
    await checkTopics(request.partitions ?? [], this.#checkTopic);
    const partitions = request.partitions ?? (await visibleToReset(this.#api, request.group, this.#isVisible));
    return visiblePartitions(await this.#api.resetOffsets({ ...request, partitions }), this.#isVisible);
  }

  async deleteGroup(group: string): Promise<void> {
    this.#check("deleteGroup", group);
    const committed = await this.#api.fetchOffsets(group);
    if (!committed.every(({ topic }) => this.#isVisible(topic))) {
      throw new PermissionDeniedError(
        `group ${group} has committed offsets of topics that ${this.#caller.principal} may not describe: only who may describe them all deletes it`,
        { group },
      );
    }
    return this.#api.deleteGroup(group);
  }

  get #whose(): GroupCallOptions {
    return { principal: this.#caller.principal };
  }

  readonly #isVisible = (topic: string) => this.#caller.allows(operationOf.describeTopic, topic);

  readonly #checkTopic = (topic: string) => this.#check("describeTopic", topic);

  /** @param name of a topic or group */
  #check(method: keyof typeof operationOf, name: string): void {
    this.#caller.check(operationOf[method], name);
  }
}
