import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import type { MethodDefinition } from "@grpc/proto-loader";
import { ClosedError, type LogStoreError } from "@logstore/codec";
import {
  type ConsumeEvent,
  type ConsumeOptions,
  type ConsumeRequest,
  type CreateTopicRequest,
  encodeProduceRequest,
  type ListOffsetsRequest,
  type LogApi,
  type PartitionOffset,
  type ProduceAck,
  type ProduceRequest,
  positionToMessage,
  type TopicDescription,
  type TopicSummary,
} from "@logstore/protocol";
import { backoffMs, isRetriable, sleep } from "../retry.js";
import { channelOptions } from "./channel-options.js";
import { checkConsume, checkCreateTopic, checkListOffsets, checkProduce } from "./check-request.js";
import { consumeCall } from "./consume-call.js";
import { fromServiceError } from "./grpc-errors.js";
import { protocolDefinitions } from "./load-proto.js";
import { ProduceChannel, type ProduceStreamResponse } from "./produce-channel.js";

type Method = MethodDefinition<object, object>;

/** A log store behind gRPC. Nothing is connected before the first call. */
export class GrpcLogApi implements LogApi {
  readonly #address: string;
  readonly #timeoutMs: number;
  readonly #client: Client;
  readonly #produceChannel: ProduceChannel;
  readonly #closing = new AbortController();
  readonly #protocol = protocolDefinitions();

  /** @param timeoutMs how long a call that is not a stream may take, tries to reach the server included */
  constructor(address: string, timeoutMs = 30_000) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#client = new Client(address, credentials.createInsecure(), channelOptions);
    this.#produceChannel = new ProduceChannel(
      () => this.#openProduceStream(),
      (error) => this.#toError(error),
    );
  }

  /** A try whose answer was lost may have made the topic: the next one then fails with TOPIC_EXISTS. */
  async createTopic(request: CreateTopicRequest): Promise<TopicDescription> {
    checkCreateTopic(request);
    const { topic } = await this.#call<{ topic: TopicDescription }>(this.#protocol.admin["CreateTopic"], request);
    return topic;
  }

  async listTopics(): Promise<TopicSummary[]> {
    const { topics } = await this.#call<{ topics: TopicSummary[] }>(this.#protocol.admin["ListTopics"], {});
    return topics;
  }

  async describeTopic(name: string): Promise<TopicDescription> {
    const request = { topic: name };
    const { topic } = await this.#call<{ topic: TopicDescription }>(this.#protocol.admin["DescribeTopic"], request);
    return topic;
  }

  async listOffsets(request: ListOffsetsRequest): Promise<PartitionOffset[]> {
    checkListOffsets(request);
    const message = {
      topic: request.topic,
      partitions: request.partitions.map(({ partition, position }) => ({
        partition,
        position: positionToMessage(position),
      })),
    };
    const { offsets } = await this.#call<{ offsets: PartitionOffset[] }>(this.#protocol.log["ListOffsets"], message);
    return offsets;
  }

  async produce(request: ProduceRequest): Promise<ProduceAck> {
    if (this.#closing.signal.aborted) throw this.#closedError();
    checkProduce(request);
    return this.#produceChannel.produce(request);
  }

  async *consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncGenerator<ConsumeEvent, void, undefined> {
    if (this.#closing.signal.aborted) throw this.#closedError();
    checkConsume(request);
    try {
      yield* consumeCall(this.#client, this.#protocol.log["Consume"] as Method, request, options?.signal);
    } catch (error) {
      throw this.#toError(error);
    }
  }

  /** Ends every call under way. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#produceChannel.close(this.#closedError());
    this.#client.close();
  }

  async #call<Response>(method: Method | undefined, request: object): Promise<Response> {
    const deadline = Date.now() + this.#timeoutMs;
    for (let attempt = 0; ; attempt++) {
      if (this.#closing.signal.aborted) throw this.#closedError();
      try {
        return (await this.#callOnce(method!, request, deadline)) as Response;
      } catch (cause) {
        const error = this.#toError(cause);
        const waitMs = backoffMs(attempt);
        if (!isRetriable(error) || Date.now() + waitMs >= deadline) throw error;
        await sleep(waitMs, this.#closing.signal);
      }
    }
  }

  #callOnce(method: Method, request: object, deadline: number): Promise<object> {
    return new Promise((resolve, reject) => {
      const answer = (error: ServiceError | null, response?: object) => (error ? reject(error) : resolve(response!));
      const { path, requestSerialize, responseDeserialize } = method;
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, answer);
    });
  }

  #openProduceStream() {
    const { path, responseDeserialize } = this.#protocol.log["ProduceStream"] as Method;
    return this.#client.makeBidiStreamRequest<ProduceRequest, ProduceStreamResponse>(
      path,
      serializeProduceRequest,
      responseDeserialize,
    );
  }

  #toError(error: unknown): LogStoreError {
    return fromServiceError(error, this.#address);
  }

  #closedError(): ClosedError {
    return new ClosedError(`the client of ${this.#address} is closed`);
  }
}

/** The transport wants a Buffer: the same bytes, not copied. */
function serializeProduceRequest(request: ProduceRequest): Buffer {
  const message = encodeProduceRequest(request);
  return Buffer.from(message.buffer, message.byteOffset, message.length);
}
