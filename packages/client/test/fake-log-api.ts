/** A log in memory that follows the rules of LogApi, and fails where a test wants it to. */
import { OffsetOutOfRangeError, TopicExistsError, UnknownPartitionError, UnknownTopicError } from "@logstore/codec";
import type {
  BatchesEvent,
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  CreateTopicRequest,
  Durability,
  ListOffsetsRequest,
  LogApi,
  PartitionOffset,
  ProduceAck,
  ProduceRequest,
  TopicConfig,
  TopicDescription,
} from "@logstore/protocol";
import { FakeGroups } from "./fake-groups.js";
import { FakePartition, offsetOf, read } from "./fake-partition.js";

/** Methods beyond topics, appends and reads: a test replaces those that it needs. */
const notFaked = (): Promise<never> => Promise.reject(new Error("this is not faked"));

export class FakeLogApi implements LogApi {
  describeServer: LogApi["describeServer"] = async () => ({ limits: {} });
  /** The configuration that describeTopic reports. */
  effectiveConfig: TopicConfig = {};
  /** The durabilities that describeTopic reports; servers of release 0.1.0 report none. */
  durabilities: readonly Durability[] = ["written", "flushed"];
  fetch: LogApi["fetch"] = notFaked;
  allocateProducerId: LogApi["allocateProducerId"] = notFaked;
  alterTopicConfig: LogApi["alterTopicConfig"] = notFaked;
  deleteTopic: LogApi["deleteTopic"] = notFaked;
  deleteRecords: LogApi["deleteRecords"] = notFaked;
  createSnapshot: LogApi["createSnapshot"] = notFaked;
  listSnapshots: LogApi["listSnapshots"] = notFaked;
  deleteSnapshot: LogApi["deleteSnapshot"] = notFaked;
  restoreSnapshot: LogApi["restoreSnapshot"] = notFaked;
  joinGroup: LogApi["joinGroup"] = (request) => this.groups.join(request);
  commitOffsets: LogApi["commitOffsets"] = (request) => this.groups.commit(request);
  fetchOffsets: LogApi["fetchOffsets"] = notFaked;
  listGroups: LogApi["listGroups"] = notFaked;
  describeGroup: LogApi["describeGroup"] = notFaked;
  resetOffsets: LogApi["resetOffsets"] = notFaked;
  deleteGroup: LogApi["deleteGroup"] = notFaked;
  readonly groups = new FakeGroups();
  readonly topics = new Map<string, FakePartition[]>();
  readonly produced: ProduceRequest[] = [];
  readonly consumed: ConsumeRequest[] = [];
  /** Number of open streams. */
  openStreams = 0;
  /** Called with each request, and may append it, fail or wait. */
  onProduce: (request: ProduceRequest, append: () => ProduceAck) => ProduceAck | Promise<ProduceAck> = (_, append) =>
    append();
  /** Called with each event before it is delivered, and may throw, wait or change it. */
  onEvent: (event: ConsumeEvent, request: ConsumeRequest) => ConsumeEvent | Promise<ConsumeEvent> = (event) => event;
  onDescribe: () => void | Promise<void> = () => {};

  async createTopic({ topic, partitions, ifNotExists }: CreateTopicRequest): Promise<TopicDescription> {
    if (ifNotExists && this.topics.get(topic)?.length === partitions) return this.#describe(topic);
    if (this.topics.has(topic)) throw new TopicExistsError(`${topic} exists`, { topic });
    this.topics.set(
      topic,
      Array.from({ length: partitions }, () => new FakePartition()),
    );
    return this.#describe(topic);
  }

  async listTopics() {
    return Array.from(this.topics, ([topic, { length }]) => ({
      topic,
      topicId: `id-of-${topic}`,
      partitionCount: length,
    }));
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    await this.onDescribe();
    return this.#describe(topic);
  }

  async produce(request: ProduceRequest): Promise<ProduceAck> {
    const partition = this.partition(request.topic, request.partition);
    this.produced.push({ ...request, batches: new Uint8Array(request.batches) });
    const { batches, durability = "flushed", expectedOffset } = request;
    return this.onProduce(request, () => partition.append(batches, durability, expectedOffset));
  }

  async *consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncGenerator<ConsumeEvent, void, undefined> {
    const log = this.partition(request.topic, request.partition);
    const { maxBytes = 1 } = request;
    const signal = options?.signal;
    this.consumed.push(request);
    let next = offsetOf(log, request.from ?? "earliest");
    const until = request.until === undefined ? Infinity : offsetOf(log, request.until);
    if (next < log.logStartOffset || next > log.end) {
      const expected = next > log.end ? log.end : log.logStartOffset;
      throw new OffsetOutOfRangeError(`offset ${next}`, { expected, actual: next });
    }
    /** Whether the reader knows without an event that it has caught up. */
    let isSeen = false;
    this.openStreams++;
    try {
      while (next < until) {
        if (signal?.aborted) return;
        const { ends } = log;
        if (next < log.logStartOffset) {
          next = log.logStartOffset;
          yield await this.onEvent({ type: "logStartMoved", logStartOffset: next, ...ends }, request);
          continue;
        }
        const gap = log.gaps.find(({ firstOffset, nextOffset }) => firstOffset <= next && next < nextOffset);
        if (gap !== undefined) {
          yield await this.onEvent({ type: "gap", firstOffset: next, nextOffset: gap.nextOffset, ...ends }, request);
          next = gap.nextOffset;
          continue;
        }
        const bytes = read(log, next, maxBytes);
        if (bytes === undefined) {
          if (!isSeen) yield await this.onEvent({ type: "caughtUp", ...ends }, request);
          isSeen = false;
          if (next === log.end) await log.more(signal);
          continue;
        }
        isSeen = request.seesCaughtUp === true && bytes.nextOffset === ends.highWatermark;
        next = bytes.nextOffset;
        const event: BatchesEvent = { type: "batches", batches: bytes.bytes, headroomBytes: 0, ...ends };
        yield await this.onEvent(event, request);
      }
    } finally {
      this.openStreams--;
    }
  }

  async listOffsets({ topic, partitions }: ListOffsetsRequest): Promise<PartitionOffset[]> {
    return partitions.map(({ partition, position }) => {
      const log = this.partition(topic, partition);
      return { partition, offset: offsetOf(log, position), topicId: `id-of-${topic}`, ...log.bounds };
    });
  }

  partition(topic: string, partition: number): FakePartition {
    const partitions = this.topics.get(topic);
    if (partitions === undefined) throw new UnknownTopicError(`no topic ${topic}`, { topic });
    const log = partitions[partition];
    if (log === undefined) throw new UnknownPartitionError(`no partition ${partition}`, { topic, partition });
    return log;
  }

  /** Values of a partition as text, read without a client. */
  values(topic: string, partition = 0): string[] {
    return this.partition(topic, partition).batches.flatMap((batch) =>
      [...batch].map(({ value }) => Buffer.from(value).toString()),
    );
  }

  #describe(topic: string): TopicDescription {
    const partitions = this.topics.get(topic);
    if (partitions === undefined) throw new UnknownTopicError(`no topic ${topic}`, { topic });
    return {
      topic,
      topicId: `id-of-${topic}`,
      partitioner: "fnv1a-32",
      partitions: partitions.map((log, partition) => ({ partition, ...log.bounds })),
      config: {},
      effectiveConfig: this.effectiveConfig,
      durabilities: this.durabilities,
    };
  }
}
