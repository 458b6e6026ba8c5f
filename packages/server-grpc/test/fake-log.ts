/** A LogApi in memory with the features that the tests of a transport need. */
import {
  InvalidArgumentError,
  OffsetOutOfRangeError,
  RecordBatch,
  RecordBatchBuilder,
  TopicExistsError,
  UnknownPartitionError,
  UnknownTopicError,
  validateBatches,
  WrongExpectedOffsetError,
  writeServerHalf,
} from "@logstore/codec";
import type {
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  CreateTopicRequest,
  ListOffsetsRequest,
  LogApi,
  PartitionOffset,
  Position,
  ProduceAck,
  ProduceRequest,
  TopicDescription,
  TopicSummary,
} from "@logstore/protocol";

/** A sealed batch of one record for each value. */
export function sealed(...values: (string | Uint8Array)[]): Uint8Array {
  const builder = new RecordBatchBuilder({ targetBytes: 16 * 1024 * 1024 });
  for (const value of values) builder.append(null, value, 1_000);
  return builder.seal();
}

export function valuesOf(batches: Uint8Array): string[] {
  const values: string[] = [];
  for (let at = 0; at < batches.length; ) {
    const batch = RecordBatch.parse(batches, at).verify();
    for (const record of batch) values.push(new TextDecoder().decode(record.value));
    at += batch.byteLength;
  }
  return values;
}

/** A test that needs other methods supplies them itself. */
const notFaked = (): Promise<never> => Promise.reject(new Error("this is not faked"));
const notGiven = (): never => {
  throw new Error("this is not faked");
};

export class FakeLog implements LogApi {
  describeServer: LogApi["describeServer"] = async () => ({ limits: {} });
  fetch: LogApi["fetch"] = notFaked;
  allocateProducerId: LogApi["allocateProducerId"] = notFaked;
  alterTopicConfig: LogApi["alterTopicConfig"] = notFaked;
  deleteTopic: LogApi["deleteTopic"] = notFaked;
  deleteRecords: LogApi["deleteRecords"] = notFaked;
  createSnapshot: LogApi["createSnapshot"] = notFaked;
  listSnapshots: LogApi["listSnapshots"] = notFaked;
  deleteSnapshot: LogApi["deleteSnapshot"] = notFaked;
  restoreSnapshot: LogApi["restoreSnapshot"] = notFaked;
  joinGroup: LogApi["joinGroup"] = notGiven;
  commitOffsets: LogApi["commitOffsets"] = notFaked;
  fetchOffsets: LogApi["fetchOffsets"] = notFaked;
  listGroups: LogApi["listGroups"] = notFaked;
  describeGroup: LogApi["describeGroup"] = notFaked;
  resetOffsets: LogApi["resetOffsets"] = notFaked;
  deleteGroup: LogApi["deleteGroup"] = notFaked;
  readonly #topics = new Map<string, RecordBatch[][]>();
  readonly #waiting = new Set<() => void>();
  /**
   * All consume calls: their arguments, the number of events returned, and whether they have ended.
   */
  readonly consumers: { request: ConsumeRequest; options: ConsumeOptions; given: number; ended: boolean }[] = [];

  async createTopic({ topic, partitions, ifNotExists }: CreateTopicRequest): Promise<TopicDescription> {
    if (ifNotExists && this.#topics.get(topic)?.length === partitions) return this.describeTopic(topic);
    if (this.#topics.has(topic)) throw new TopicExistsError(`topic ${topic} exists already`, { topic });
    if (partitions < 1) throw new InvalidArgumentError("a topic needs at least one partition", { topic });
    this.#topics.set(
      topic,
      Array.from({ length: partitions }, () => []),
    );
    return this.describeTopic(topic);
  }

  async listTopics(): Promise<TopicSummary[]> {
    return [...this.#topics].map(([topic, { length }]) => ({
      topic,
      topicId: `id-of-${topic}`,
      partitionCount: length,
    }));
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    const partitions = this.#partitions(topic).map((log, partition) => ({ partition, ...boundsOf(log) }));
    return {
      topic,
      topicId: `id-of-${topic}`,
      partitioner: "fnv1a-32",
      partitions,
      config: {},
      effectiveConfig: {},
      durabilities: [],
    };
  }

  async produce(request: ProduceRequest): Promise<ProduceAck> {
    const log = this.#partition(request.topic, request.partition);
    const baseOffset = endOf(log);
    if (request.expectedOffset !== undefined && request.expectedOffset !== baseOffset) {
      throw new WrongExpectedOffsetError("the log went on", { expected: request.expectedOffset, actual: baseOffset });
    }
    for (const { bytes } of validateBatches(request.batches)) {
      writeServerHalf(bytes, { baseOffset: endOf(log), appendTime: 2_000, flushedUpTo: 0 });
      log.push(RecordBatch.parse(bytes));
    }
    for (const wake of this.#waiting) wake();
    return {
      baseOffset,
      nextOffset: endOf(log),
      durability: request.durability ?? "flushed",
      duplicate: false,
      logEndOffset: endOf(log),
    };
  }

  /** Each batch is an event. */
  async *consume(request: ConsumeRequest, options: ConsumeOptions = {}): AsyncGenerator<ConsumeEvent> {
    const consumer = { request, options, given: 0, ended: false };
    this.consumers.push(consumer);
    try {
      for await (const event of this.#events(request, options)) {
        consumer.given++;
        yield event;
      }
    } finally {
      consumer.ended = true;
    }
  }

  async listOffsets({ topic, partitions }: ListOffsetsRequest): Promise<PartitionOffset[]> {
    return partitions.map(({ partition, position }) => {
      const log = this.#partition(topic, partition);
      return { partition, offset: resolve(log, position), ...boundsOf(log) };
    });
  }

  async *#events(
    request: ConsumeRequest,
    { signal, headroomBytes = 0, budget }: ConsumeOptions,
  ): AsyncGenerator<ConsumeEvent> {
    const log = this.#partition(request.topic, request.partition);
    const until = request.until === undefined ? Number.POSITIVE_INFINITY : resolve(log, request.until);
    let position = resolve(log, request.from ?? "earliest");
    if (position > endOf(log)) {
      throw new OffsetOutOfRangeError("past the end", { offset: position, expected: endOf(log) });
    }
    while (position < until && !signal?.aborted) {
      const batch = log.find(({ nextOffset }) => nextOffset > position);
      if (batch) {
        await budget?.take(batch.byteLength, batch.byteLength);
        const buffer = new Uint8Array(headroomBytes + batch.byteLength);
        const batches = buffer.subarray(headroomBytes);
        batches.set(batch.bytes);
        const release = () => budget?.giveBack(batch.byteLength);
        yield { type: "batches", batches, headroomBytes, release, ...endsOf(log) };
        position = batch.nextOffset;
      } else {
        yield { type: "caughtUp", ...endsOf(log) };
        await this.#more(signal);
      }
    }
  }

  #more(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake);
    });
  }

  #partitions(topic: string): RecordBatch[][] {
    const partitions = this.#topics.get(topic);
    if (!partitions) throw new UnknownTopicError(`there is no topic ${topic}`, { topic });
    return partitions;
  }

  #partition(topic: string, partition: number): RecordBatch[] {
    const partitions = this.#partitions(topic);
    const log = partitions[partition];
    if (log) return log;
    throw new UnknownPartitionError(`there is no partition ${partition}`, {
      topic,
      partition,
      expected: partitions.length,
    });
  }
}

function boundsOf(log: RecordBatch[]) {
  return { logStartOffset: 0, ...endsOf(log) };
}

function endsOf(log: RecordBatch[]) {
  return { highWatermark: endOf(log), logEndOffset: endOf(log) };
}

function endOf(log: RecordBatch[]): number {
  return log.at(-1)?.nextOffset ?? 0;
}

function resolve(log: RecordBatch[], position: Position): number {
  if (typeof position === "number") return position;
  if (position === "earliest") return 0;
  if (position === "latest") return endOf(log);
  return log.find(({ appendTime }) => appendTime >= position.time)?.baseOffset ?? endOf(log);
}
