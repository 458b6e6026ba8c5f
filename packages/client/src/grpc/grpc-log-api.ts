import { checkOptions, defaultBatchLimits } from "@logstore/codec";
import {
  type ConsumeEvent,
  type ConsumeOptions,
  type ConsumeRequest,
  decodeFetchResponse,
  decodeStreamedAck,
  encodeProduceRequest,
  type FetchOptions,
  type FetchRequest,
  type FetchResult,
  type GroupApi,
  type ListOffsetsRequest,
  type LogApi,
  type PartitionOffset,
  type ProduceAck,
  type ProduceRequest,
  positionToMessage,
  withDamageFromMessage,
} from "@logstore/protocol";
import { checkAnswers, checkEvent, checkFetched, checkPartitionOffset } from "./check-answer.js";
import { checkConsume, checkFetch, checkListOffsets, checkProduce } from "./check-request.js";
import { type ConnectOptions, connectRules } from "./connect-options.js";
import { ConsumeCall } from "./consume-call.js";
import { type AdminApi, GrpcAdminApi } from "./grpc-admin-api.js";
import { type CallsSettings, GrpcCalls } from "./grpc-calls.js";
import { GrpcGroupApi } from "./grpc-group-api.js";
import { type Method, protocolDefinitions, type Service } from "./load-proto.js";
import { ProduceChannel, type ProduceStreamResponse } from "./produce-channel.js";

/** What a client of a cluster sets besides. */
export interface LogApiSettings extends Pick<CallsSettings, "onAway"> {
  /** Uses the connections of this API. Closing either closes both. */
  readonly shared?: GrpcLogApi | undefined;
}

/** A log store behind gRPC. The first call connects to the server. */
export class GrpcLogApi implements LogApi {
  readonly #service: Service;
  readonly #calls: GrpcCalls;
  readonly #admin: AdminApi;
  readonly #groups: GroupApi;
  readonly #produceChannel: ProduceChannel;
  /** Number of appends that wait until the limits of the server are known. */
  #unchecked = 0;
  #lastTurn: Promise<void> = Promise.resolve();

  readonly describeServer: LogApi["describeServer"] = () => this.#admin.describeServer();
  readonly createTopic: LogApi["createTopic"] = (request) => this.#admin.createTopic(request);
  readonly listTopics: LogApi["listTopics"] = () => this.#admin.listTopics();
  readonly describeTopic: LogApi["describeTopic"] = (topic) => this.#admin.describeTopic(topic);
  readonly alterTopicConfig: LogApi["alterTopicConfig"] = (...args) => this.#admin.alterTopicConfig(...args);
  readonly deleteTopic: LogApi["deleteTopic"] = (...args) => this.#admin.deleteTopic(...args);
  readonly deleteRecords: LogApi["deleteRecords"] = (...args) => this.#admin.deleteRecords(...args);
  readonly createSnapshot: LogApi["createSnapshot"] = (...args) => this.#admin.createSnapshot(...args);
  readonly listSnapshots: LogApi["listSnapshots"] = (topic) => this.#admin.listSnapshots(topic);
  readonly deleteSnapshot: LogApi["deleteSnapshot"] = (...args) => this.#admin.deleteSnapshot(...args);
  readonly restoreSnapshot: LogApi["restoreSnapshot"] = (...args) => this.#admin.restoreSnapshot(...args);
  readonly joinGroup: LogApi["joinGroup"] = (request) => this.#groups.joinGroup(request);
  readonly commitOffsets: LogApi["commitOffsets"] = (request) => this.#groups.commitOffsets(request);
  readonly fetchOffsets: LogApi["fetchOffsets"] = (...args) => this.#groups.fetchOffsets(...args);
  readonly listGroups: LogApi["listGroups"] = () => this.#groups.listGroups();
  readonly describeGroup: LogApi["describeGroup"] = (group) => this.#groups.describeGroup(group);
  readonly resetOffsets: LogApi["resetOffsets"] = (request) => this.#groups.resetOffsets(request);
  readonly deleteGroup: LogApi["deleteGroup"] = (group) => this.#groups.deleteGroup(group);

  /**
   * @param addresses `host:port` of a server, or of several servers of one log, as for `connect`
   * @throws InvalidArgumentError for a malformed address, for options that are unknown or wrong,
   * and for a token without `tls`
   */
  constructor(addresses: string | readonly string[], options?: ConnectOptions);
  /** @internal The settings are for the client of a cluster. */
  constructor(addresses: string | readonly string[], options: ConnectOptions, settings: LogApiSettings);
  constructor(addresses: string | readonly string[], options: ConnectOptions = {}, settings: LogApiSettings = {}) {
    checkOptions<ConnectOptions>("connect", options, connectRules);
    const { log, admin, groups } = protocolDefinitions();
    this.#service = log;
    const { shared } = settings;
    this.#calls = new GrpcCalls(addresses, options, {
      ...settings,
      shared: shared === undefined ? shared : shared.#calls,
    });
    this.#admin = new GrpcAdminApi(admin, this.#calls);
    this.#groups = new GrpcGroupApi(groups, this.#calls);
    this.#produceChannel = new ProduceChannel(
      () =>
        this.#calls.openStream<ProduceRequest, ProduceStreamResponse>(
          acksByHand(this.#method("ProduceStream")),
          serializeProduceRequest,
        ),
      (error, hadAnswers) => this.#calls.toStreamError(error, hadAnswers),
    );
    this.#calls.onClose(() => this.#produceChannel.close(this.#calls.closedError()));
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
    const { offsets, topicId } = await this.#calls.unary<Response>(this.#method("ListOffsets"), message);
    checkAnswers("offsets", offsets, request.partitions.length);
    return offsets.map((answer, i) => {
      const { partition } = request.partitions[i]!;
      const offset = checkPartitionOffset(withDamageFromMessage(answer), { topic: request.topic, partition });
      return { ...offset, topicId: topicId || undefined };
    });
  }

  async allocateProducerId(): Promise<number> {
    type Response = { readonly producerId: number };
    const { producerId } = await this.#calls.unary<Response>(this.#method("AllocateProducerId"), {});
    return producerId;
  }

  async fetch(request: FetchRequest, { signal }: FetchOptions = {}): Promise<FetchResult> {
    checkFetch(request);
    const method = { ...this.#method("Fetch"), responseDeserialize: decodeFetchResponse };
    const from = positionToMessage(request.from ?? "earliest");
    const message = { ...request, from };
    const options = { waitMs: request.maxWaitMs, signal };
    return checkFetched(await this.#calls.unary<FetchResult>(method, message, options), request);
  }

  async produce(request: ProduceRequest): Promise<ProduceAck> {
    this.#calls.checkOpen();
    const { length } = request.batches;
    if (this.#unchecked > 0 || length > this.#knownMaxBatchBytes) await this.#turnOf(length);
    checkProduce(request, this.#knownMaxBatchBytes);
    this.#calls.checkOpen(); // it may have been closed meanwhile
    return this.#produceChannel.produce(request);
  }

  async *consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncGenerator<ConsumeEvent, void, undefined> {
    this.#calls.checkOpen();
    checkConsume(request);
    const place = await this.#calls.streamPlace();
    const method = this.#method("Consume");
    const { headers, timeoutMs, closing } = this.#calls;
    const signals = [options?.signal, closing];
    let hadEvents = false;
    try {
      const isAborted = signals.some((signal) => signal?.aborted);
      const callOptions = { headers, signals, acceptTimeoutMs: timeoutMs };
      const events = isAborted ? [] : new ConsumeCall(place.client, method, request, callOptions);
      for await (const event of events) {
        hadEvents = true;
        this.#calls.succeeded(place.server);
        yield checkEvent(event, request);
      }
      if (!options?.signal?.aborted) this.#calls.checkOpen();
    } catch (error) {
      throw this.#calls.toStreamError(error, hadEvents, place.server);
    } finally {
      place.release();
    }
  }

  /** Ends every call under way with a ClosedError, and closes the connections. */
  close(): void {
    this.#calls.close();
  }

  get #knownMaxBatchBytes(): number {
    return this.#calls.limits.maxBatchBytes ?? defaultBatchLimits.maxBatchBytes;
  }

  /**
   * Asks the server for the largest batch that it takes where `bytes` exceeds what is known. Later
   * appends wait meanwhile, because appends take effect in the order of the calls.
   */
  async #turnOf(bytes: number): Promise<void> {
    this.#unchecked++;
    this.#lastTurn = this.#lastTurn.then(async () => {
      if (bytes > this.#knownMaxBatchBytes) await this.describeServer().catch(() => {}); // the known limit stays
    });
    await this.#lastTurn;
    this.#unchecked--;
  }

  #method(name: string): Method {
    return this.#service[name]!;
  }
}

/** Decodes what is no acknowledgement as the method does. */
function acksByHand(method: Method): Method {
  const responseDeserialize = (message: Buffer): ProduceStreamResponse => {
    const ack = decodeStreamedAck(message);
    return ack === undefined ? method.responseDeserialize(message) : { ack };
  };
  return { ...method, responseDeserialize };
}

/** The transport wants a Buffer: the same bytes, not copied. */
function serializeProduceRequest(request: ProduceRequest): Buffer {
  const message = encodeProduceRequest(request);
  return Buffer.from(message.buffer, message.byteOffset, message.length);
}
