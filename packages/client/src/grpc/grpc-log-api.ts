import { type Client, type ServiceError, status } from "@grpc/grpc-js";
import type { MethodDefinition } from "@grpc/proto-loader";
import {
  ClosedError,
  checkOptions,
  defaultBatchLimits,
  type LogStoreError,
  sleep,
  UnavailableError,
} from "@logstore/codec";
import {
  type ConsumeEvent,
  type ConsumeOptions,
  type ConsumeRequest,
  type CreateTopicRequest,
  configChangeToMessage,
  configFromMessage,
  configToMessage,
  decodeFetchResponse,
  encodeProduceRequest,
  type FetchOptions,
  type FetchRequest,
  type FetchResult,
  type GroupApi,
  type ListOffsetsRequest,
  type LogApi,
  type PartitionOffset,
  type Position,
  type ProduceAck,
  type ProduceRequest,
  positionToMessage,
  type ServerDescription,
  type ServerLimits,
  type SnapshotDescription,
  type TopicConfig,
  type TopicConfigChange,
  type TopicConfigMessage,
  type TopicDescription,
  type TopicOptions,
  type TopicSummary,
  withDamageFromMessage,
} from "@logstore/protocol";
import { ConnectionWatch } from "../common/events.js";
import { hasCode, isRetriable, retryDelayMs } from "../common/retry.js";
import { parseAddress } from "./address.js";
import { channelCredentials } from "./channel-credentials.js";
import {
  checkAnswers,
  checkEvent,
  checkFetched,
  checkOffsets,
  checkPartitionOffset,
  checkPartitions,
} from "./check-answer.js";
import {
  checkConfigChange,
  checkConsume,
  checkCreateTopic,
  checkFetch,
  checkListOffsets,
  checkPartition,
  checkPosition,
  checkProduce,
} from "./check-request.js";
import { type ConnectOptions, connectRules } from "./connect-options.js";
import { Connections, type StreamPlace } from "./connections.js";
import { consumeCall } from "./consume-call.js";
import type { MemberStream } from "./group-membership.js";
import { fromServiceError } from "./grpc-errors.js";
import { GrpcGroupApi } from "./grpc-group-api.js";
import { protocolDefinitions } from "./load-proto.js";
import { httpStatusOf } from "./only-grpc.js";
import { ProduceChannel, type ProduceStreamResponse } from "./produce-channel.js";

type Method = MethodDefinition<object, object>;

/** A log store behind gRPC. Nothing is connected before the first call. */
export class GrpcLogApi implements LogApi {
  readonly #address: string;
  readonly #usesTls: boolean;
  readonly #watch: ConnectionWatch;
  readonly #timeoutMs: number;
  readonly #hasNewTokens: boolean;
  readonly #connections: Connections;
  /** As the server told it last. */
  #limits: ServerLimits = {};
  readonly #produceChannel: ProduceChannel;
  readonly #closing = new AbortController();
  readonly #protocol = protocolDefinitions();
  readonly #groups = new GrpcGroupApi(this.#protocol.groups, {
    unary: (method, request) => this.#call(method, request),
    openBidi: (method) => this.#openMemberStream(method),
    toStreamError: (error, hadWorked) => this.#toStreamError(error, hadWorked),
  });
  readonly joinGroup: GroupApi["joinGroup"] = (request) => this.#groups.joinGroup(request);
  readonly commitOffsets: GroupApi["commitOffsets"] = (request) => this.#groups.commitOffsets(request);
  readonly fetchOffsets: GroupApi["fetchOffsets"] = (group, partitions) => this.#groups.fetchOffsets(group, partitions);
  readonly listGroups: GroupApi["listGroups"] = () => this.#groups.listGroups();
  readonly describeGroup: GroupApi["describeGroup"] = (group) => this.#groups.describeGroup(group);
  readonly resetOffsets: GroupApi["resetOffsets"] = (request) => this.#groups.resetOffsets(request);
  readonly deleteGroup: GroupApi["deleteGroup"] = (group) => this.#groups.deleteGroup(group);

  /** @throws InvalidArgumentError for credentials that make no sense */
  constructor(address: string, options: ConnectOptions = {}) {
    checkOptions<ConnectOptions>("connect", options, connectRules);
    const { target, isLoopback } = parseAddress(address);
    this.#address = target;
    this.#usesTls = Boolean(options.tls);
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#watch = new ConnectionWatch(target, options.onEvent);
    this.#hasNewTokens = typeof options.token === "function";
    this.#connections = new Connections(target, isLoopback, channelCredentials(options), (client) =>
      this.#greet(client),
    );
    this.#produceChannel = new ProduceChannel(
      () => this.#openProduceStream(),
      (error, hadAnswers) => this.#toStreamError(error, hadAnswers),
    );
  }

  async describeServer(): Promise<ServerDescription> {
    const description = await this.#callAdmin("DescribeServer", {}, serverIn);
    this.#limits = description.limits;
    return description;
  }

  /**
   * A try whose answer was lost may have made the topic: the next one then fails with TOPIC_EXISTS.
   */
  async createTopic(request: CreateTopicRequest): Promise<TopicDescription> {
    checkCreateTopic(request);
    const { topic, partitions, config = {}, ifNotExists = false } = request;
    return this.#callAdmin("CreateTopic", { topic, partitions, config: configToMessage(config), ifNotExists }, topicIn);
  }

  listTopics(): Promise<TopicSummary[]> {
    return this.#callAdmin("ListTopics", {}, ({ topics }) => topics.map(withDamageFromMessage));
  }

  describeTopic(topic: string): Promise<TopicDescription> {
    return this.#callAdmin("DescribeTopic", { topic }, topicIn);
  }

  async alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig> {
    checkConfigChange(topic, change);
    const request = { topic, topicId: options?.topicId, ...configChangeToMessage(change) };
    return this.#callAdmin("AlterTopicConfig", request, ({ config }) => configFromMessage(config));
  }

  /**
   * A try whose answer was lost may have deleted the topic: the next one then fails with
   * UNKNOWN_TOPIC.
   */
  deleteTopic(topic: string, options?: TopicOptions): Promise<void> {
    return this.#callAdmin("DeleteTopic", { topic, topicId: options?.topicId }, () => {});
  }

  async deleteRecords(topic: string, partition: number, before: Position, options?: TopicOptions): Promise<number> {
    checkPartition(topic, partition);
    checkPosition(topic, partition, before);
    const request = { topic, topicId: options?.topicId, partition, before: positionToMessage(before) };
    return this.#callAdmin("DeleteRecords", request, ({ logStartOffset }) => {
      checkOffsets({ logStartOffset }, { topic, partition });
      return logStartOffset;
    });
  }

  createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription> {
    return this.#callAdmin("CreateSnapshot", { topic, snapshot }, ({ snapshot }) =>
      withDamageFromMessage<SnapshotDescription>(snapshot),
    );
  }

  listSnapshots(topic = ""): Promise<SnapshotDescription[]> {
    return this.#callAdmin("ListSnapshots", { topic }, ({ snapshots }) => snapshots.map(withDamageFromMessage));
  }

  deleteSnapshot(topic: string, snapshot: string): Promise<void> {
    return this.#callAdmin("DeleteSnapshot", { topic, snapshot }, () => {});
  }

  restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription> {
    return this.#callAdmin("RestoreSnapshot", { topic, snapshot, newTopic }, topicIn);
  }

  async listOffsets(request: ListOffsetsRequest): Promise<PartitionOffset[]> {
    checkListOffsets(request);
    const message = {
      topic: request.topic,
      topicId: request.topicId,
      partitions: request.partitions.map(({ partition, position }) => ({
        partition,
        position: positionToMessage(position),
      })),
    };
    type Response = { readonly offsets: PartitionOffset[]; readonly topicId: string };
    const { offsets, topicId } = await this.#call<Response>(this.#protocol.log["ListOffsets"], message);
    checkAnswers("offsets", offsets, request.partitions.length);
    return offsets.map((answer, i) => {
      const { partition } = request.partitions[i]!;
      const offset = checkPartitionOffset(withDamageFromMessage(answer), { topic: request.topic, partition });
      return { ...offset, topicId: topicId || undefined };
    });
  }

  async allocateProducerId(): Promise<number> {
    const method = this.#protocol.log["AllocateProducerId"];
    const { producerId } = await this.#call<{ producerId: number }>(method, {});
    return producerId;
  }

  async fetch(request: FetchRequest, { signal }: FetchOptions = {}): Promise<FetchResult> {
    checkFetch(request);
    const method = { ...this.#protocol.log["Fetch"]!, responseDeserialize: decodeFetchResponse };
    const from = positionToMessage(request.from ?? "earliest");
    const message = { ...request, from };
    if (!request.maxWaitMs) return checkFetched(await this.#call<FetchResult>(method, message, 0, signal), request);
    const place = await this.#streamPlace();
    try {
      const result = await this.#call<FetchResult>(method, message, request.maxWaitMs, signal, place.client);
      return checkFetched(result, request);
    } finally {
      place.release();
    }
  }

  async produce(request: ProduceRequest): Promise<ProduceAck> {
    if (this.#closing.signal.aborted) throw this.#closedError();
    checkProduce(request, await this.#maxBatchBytes(request.batches.length));
    return this.#produceChannel.produce(request);
  }

  async *consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncGenerator<ConsumeEvent, void, undefined> {
    if (this.#closing.signal.aborted) throw this.#closedError();
    checkConsume(request);
    const place = await this.#streamPlace();
    const method = this.#protocol.log["Consume"] as Method;
    const events = consumeCall(place.client, method, request, options?.signal, this.#timeoutMs);
    let hadEvents = false;
    try {
      for await (const event of events) {
        hadEvents = true;
        this.#watch.succeeded();
        yield checkEvent(event, request);
      }
    } catch (error) {
      throw this.#toStreamError(error, hadEvents);
    } finally {
      place.release();
    }
  }

  /** Ends every call under way. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#produceChannel.close(this.#closedError());
    this.#connections.close();
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers are what admin.proto says
  async #callAdmin<Result>(name: string, request: object, result: (response: any) => Result): Promise<Result> {
    return result(await this.#call(this.#protocol.admin[name], request));
  }

  /** @param waitMs how long the server may take beyond what any call may */
  async #call<Response>(
    method: Method | undefined,
    request: object,
    waitMs = 0,
    signal?: AbortSignal,
    client = this.#connections.calls,
  ): Promise<Response> {
    const limitMs = this.#timeoutMs + waitMs;
    const deadline = Date.now() + limitMs;
    let lastTrouble: LogStoreError | undefined;
    for (let attempt = 0; ; attempt++) {
      if (this.#closing.signal.aborted) throw this.#closedError();
      signal?.throwIfAborted();
      try {
        const answer = (await this.#callOnce(client, method!, request, deadline, signal)) as Response;
        this.#watch.succeeded();
        return answer;
      } catch (cause) {
        signal?.throwIfAborted();
        if (this.#closing.signal.aborted) throw this.#closedError();
        const error = this.#toError(cause);
        const delay = retryDelayMs(attempt, error);
        if (!isRetriable(error)) throw error;
        // The last try may have had hardly any time: what went wrong before says more, and the
        // limit is the whole one.
        const isTimeout = (cause as Partial<ServiceError>).code === status.DEADLINE_EXCEEDED;
        if (!isTimeout || lastTrouble === undefined) lastTrouble = error;
        if (isTimeout || Date.now() + delay >= deadline) throw inLimit(lastTrouble, limitMs);
        await sleep(delay, this.#closing.signal);
      }
    }
  }

  /** The first call on a connection. A server of a release before DescribeServer tells nothing. */
  async #greet(client: Client): Promise<ServerLimits> {
    const method = this.#protocol.admin["DescribeServer"] as Method;
    try {
      const answer = await this.#callOnce(client, method, {}, Date.now() + this.#timeoutMs, this.#closing.signal);
      this.#limits = serverIn(answer).limits;
    } catch (error) {
      if (this.#closing.signal.aborted) throw this.#closedError();
      if (
        (error as ServiceError).code !== status.UNIMPLEMENTED ||
        httpStatusOf((error as ServiceError).details) !== undefined
      )
        throw this.#toError(error);
    }
    return this.#limits;
  }

  /** Where a long stream may be opened. */
  async #streamPlace(): Promise<StreamPlace> {
    const place = await this.#connections.streamPlace();
    if (!this.#closing.signal.aborted) return place;
    place.release();
    throw this.#closedError();
  }

  /**
   * The largest batch that the server takes; it is asked where `bytes` is more than is known to be
   * taken.
   */
  async #maxBatchBytes(bytes: number): Promise<number> {
    const { maxBatchBytes } = defaultBatchLimits;
    if (bytes <= (this.#limits.maxBatchBytes ?? maxBatchBytes)) return Number.POSITIVE_INFINITY;
    await this.describeServer().catch(() => {}); // it tells by refusing
    return this.#limits.maxBatchBytes ?? maxBatchBytes;
  }

  #callOnce(
    client: Client,
    method: Method,
    request: object,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<object> {
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method;
      const closing = this.#closing.signal;
      const answer = (error: ServiceError | null, response?: object) => {
        signal?.removeEventListener("abort", cancel);
        closing.removeEventListener("abort", cancel);
        if (error) reject(error);
        else resolve(response!);
      };
      const options = { deadline };
      const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, answer);
      const cancel = () => call.cancel();
      signal?.addEventListener("abort", cancel);
      closing.addEventListener("abort", cancel);
    });
  }

  #openProduceStream() {
    const { path, responseDeserialize } = this.#protocol.log["ProduceStream"] as Method;
    const stream = this.#connections.calls.makeBidiStreamRequest<ProduceRequest, ProduceStreamResponse>(
      path,
      serializeProduceRequest,
      responseDeserialize,
    );
    stream.on("data", () => this.#watch.succeeded());
    return stream;
  }

  async #openMemberStream({ path, requestSerialize, responseDeserialize }: Method): Promise<MemberStream> {
    if (this.#closing.signal.aborted) throw this.#closedError();
    const place = await this.#streamPlace();
    const stream = place.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize) as MemberStream;
    const cancel = () => stream.cancel();
    this.#closing.signal.addEventListener("abort", cancel);
    stream.on("data", () => this.#watch.succeeded());
    stream.on("status", () => {
      this.#closing.signal.removeEventListener("abort", cancel);
      place.release();
    });
    return stream;
  }

  #toError(error: unknown): LogStoreError {
    const known = fromServiceError(error, this.#address, this.#usesTls);
    if (known.code === "UNAVAILABLE" && known !== error && !this.#closing.signal.aborted) this.#watch.failed(known);
    return known;
  }

  /**
   * A stream outlives a token: where the next one brings a newer token, it ended like any other
   * that has to be opened again.
   */
  #toStreamError(cause: unknown, hadWorked: boolean): LogStoreError {
    const error = this.#toError(cause);
    if (!hadWorked || !this.#hasNewTokens || !hasCode(error, "UNAUTHENTICATED")) return error;
    return new UnavailableError(error.message, {}, { cause: error });
  }

  #closedError(): ClosedError {
    return new ClosedError(`the client of ${this.#address} is closed`);
  }
}

/** The error of a call that was tried until its time was over. */
function inLimit(error: LogStoreError, limitMs: number): LogStoreError {
  if (error.code !== "UNAVAILABLE") return error;
  return new UnavailableError(`${error.message} (tried for ${limitMs} ms)`, error.fields, { cause: error.cause });
}

/** The transport wants a Buffer: the same bytes, not copied. */
function serializeProduceRequest(request: ProduceRequest): Buffer {
  const message = encodeProduceRequest(request);
  return Buffer.from(message.buffer, message.byteOffset, message.length);
}

/** A topic's description in an answer. */
function topicIn({ topic }: { topic: TopicDescription & TopicConfigMessages }): TopicDescription {
  const { config, effectiveConfig, ...description } = topic;
  checkPartitions(description.topic, description.partitions);
  return {
    ...description,
    partitions: description.partitions.map((partition) => withDamageFromMessage(partition)),
    config: configFromMessage(config),
    effectiveConfig: configFromMessage(effectiveConfig),
  };
}

interface TopicConfigMessages {
  readonly config: TopicConfigMessage;
  readonly effectiveConfig: TopicConfigMessage | null;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are what admin.proto says
function serverIn({ version, limits }: any): ServerDescription {
  return { version, limits: limitsIn(limits) };
}

/** The limits in an answer, without the names that the loader adds for optional fields. */
function limitsIn(message: Record<string, unknown> | null): ServerLimits {
  const limits = Object.entries(message ?? {}).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(limits);
}
