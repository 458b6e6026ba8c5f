/** A log as far as one caller may use it. Each method is checked before it is handed on. */
import { declaredCounts, PermissionDeniedError, UnavailableError } from "@logstore/codec";
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
import type { Caller, Held } from "./caller.js";
import { ChargedBudget } from "./charged-budget.js";
import { operationOf } from "./operations.js";
import type { ByteQuota } from "./quotas.js";
import { mayDeleteRecords, namesRetention } from "./retention-change.js";
import {
  checkTopics,
  commitChecked,
  visibleEvents,
  visibleGroup,
  visiblePartitions,
  visibleToReset,
} from "./visible-partitions.js";

/**
 * Records that are compressed count as a part of their length at least: they are unpacked and
 * checked, one by one.
 */
const UNPACKED_SHARE = 1 / 10;

function chargedBytes(batches: Uint8Array): number {
  return Math.max(batches.length, declaredCounts(batches).recordsBytes * UNPACKED_SHARE);
}

/** What a stream of appends needs to go on, made once: it is held anew with each request. */
const SOME_PRODUCE: Held = { operation: "produce" };

export class GuardedLog implements LogApi {
  readonly #api: LogApi;
  readonly #caller: Caller;
  readonly #alterations: Alterations;
  /** The last append that waits for the quota, where any does. */
  #lastWaiting: Promise<unknown> | undefined;

  /** @param alterations of all callers */
  constructor(api: LogApi, caller: Caller, alterations = new Alterations()) {
    this.#api = api;
    this.#caller = caller;
    this.#alterations = alterations;
  }

  /** Told to any caller, with what its quota allows it. */
  async describeServer(): Promise<ServerDescription> {
    const { limits, ...description } = await this.#api.describeServer();
    return { ...description, limits: { ...limits, maxConnectionsPerPrincipal: this.#caller.quota?.connections } };
  }

  async createTopic(request: CreateTopicRequest): Promise<TopicDescription> {
    this.#check("createTopic", request.topic);
    // The answer may be the description of a topic that somebody else made.
    if (request.ifNotExists) this.#check("describeTopic", request.topic);
    return this.#api.createTopic(request);
  }

  /** Those that the caller may describe. */
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

  /** Those of topics that the caller may describe. */
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

  /**
   * Without a quota that is used up it is handed on at once: appends start in the order in which
   * requests arrive.
   */
  async produce(request: ProduceRequest): Promise<ProduceAck> {
    this.#check("produce", request.topic);
    const { facts, quota } = this.#caller;
    if (facts.isStreaming) this.#caller.hold(SOME_PRODUCE);
    const bytes = quota?.produce;
    if (!bytes) return this.#api.produce(request);
    if (!facts.isStreaming) bytes.check();
    else if (this.#lastWaiting || bytes.isExhausted) return this.#produceLater(request, bytes);
    bytes.take(chargedBytes(request.batches));
    return this.#api.produce(request);
  }

  async fetch(request: FetchRequest, options?: FetchOptions): Promise<FetchResult> {
    this.#check("fetch", request.topic);
    this.#caller.hold({ operation: "consume", name: request.topic });
    const quota = this.#caller.quota?.consume;
    if (!quota) return this.#api.fetch(request, options);
    quota.check();
    const budget = new ChargedBudget({ quota, budget: options?.budget, waitFor: undefined });
    try {
      return budget.delivered(await this.#api.fetch(request, { ...options, budget }));
    } finally {
      budget.close();
    }
  }

  consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncIterable<ConsumeEvent> {
    this.#check("consume", request.topic);
    this.#caller.hold({ operation: "consume", name: request.topic });
    const quota = this.#caller.quota?.consume;
    if (!quota) return this.#api.consume(request, options);
    const signal = options?.signal ?? this.#caller.signal;
    const budget = new ChargedBudget({ quota, budget: options?.budget, waitFor: signal });
    // Nobody keeps memory that others wait for while the quota holds him back.
    return slowed(this.#api.consume(request, { ...options, readAhead: false, budget }), budget, quota, signal);
  }

  /** A pattern is allowed where all that it could stand for is. */
  joinGroup(request: JoinGroupRequest): GroupMembership {
    this.#check("joinGroup", request.group);
    const holdTopics = (topics: readonly string[]) => {
      for (const topic of topics) this.#check("consume", topic);
      const held = topics.map((name) => ({ operation: "consume", name }) as const);
      this.#caller.hold({ operation: "group", name: request.group }, ...held);
    };
    holdTopics(request.topics);
    const membership = this.#api.joinGroup(request, this.#whose);
    const check = () => this.#check("joinGroup", request.group);
    return {
      [Symbol.asyncIterator]: () =>
        endedByCut(visibleEvents(membership[Symbol.asyncIterator](), this.#isVisible), this.#caller),
      heartbeat: () => {
        check();
        membership.heartbeat();
      },
      revoked: (memberEpoch, partitions) => {
        check();
        membership.revoked(memberEpoch, partitions);
      },
      subscribe: (topics) => {
        check();
        holdTopics(topics);
        membership.subscribe(topics);
      },
      leave: async () => {
        check();
        return membership.leave();
      },
    };
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

  /** Those that the caller may use. */
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

  /** @param name of a topic, or of a group */
  #check(method: keyof typeof operationOf, name: string): void {
    this.#caller.check(operationOf[method], name);
  }

  /**
   * After those that wait already, when the quota allows it. Requests that wait are not
   * acknowledged, so that their stream soon reads no more of them; and of a principal with many
   * streams, so much waits that others have memory left, and the rest is refused.
   */
  async #produceLater(request: ProduceRequest, bytes: ByteQuota): Promise<ProduceAck> {
    const { signal } = this.#caller;
    const { length } = request.batches;
    bytes.beginWaiting(length);
    const started = Promise.resolve(this.#lastWaiting).then(async () => {
      const allowed = await bytes
        .takeLater(chargedBytes(request.batches), signal)
        .finally(() => bytes.stopWaiting(length));
      if (!allowed) throw new UnavailableError("the call ended before its quota allowed the append");
      return { ack: this.#api.produce(request) };
    });
    const waiting = started.then(
      ({ ack }) => void ack.catch(() => {}), // heard below
      () => {},
    );
    this.#lastWaiting = waiting;
    try {
      return await (await started).ack;
    } finally {
      if (this.#lastWaiting === waiting) this.#lastWaiting = undefined;
    }
  }
}

/** The next event is asked for when the quota allows it. */
async function* slowed(
  events: AsyncIterable<ConsumeEvent>,
  budget: ChargedBudget,
  quota: ByteQuota,
  signal: AbortSignal,
): AsyncGenerator<ConsumeEvent> {
  try {
    await quota.wait(signal);
    for await (const event of events) {
      yield event.type === "batches" ? budget.delivered(event) : event;
      await quota.wait(signal);
    }
  } finally {
    budget.close();
  }
}

/**
 * A peer that reads nothing would keep a call that was cut open, and its place in the group with
 * it.
 */
function endedByCut<Event>(events: AsyncIterator<Event>, caller: Caller): AsyncIterator<Event> {
  const end = () => {
    // Whoever reads hears of what goes wrong.
    if (caller.isCut) void events.return?.().catch(() => {});
  };
  caller.signal.addEventListener("abort", end, { once: true });
  return events;
}
