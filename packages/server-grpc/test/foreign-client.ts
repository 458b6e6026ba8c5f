/**
 * A client that is generated from the .proto files alone: generic gRPC and protobuf, without any of
 * our code.
 */
import { fileURLToPath } from "node:url";
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import {
  loadSync,
  type MessageTypeDefinition,
  type MethodDefinition,
  type ServiceDefinition,
} from "@grpc/proto-loader";
import { protoDirectory, protoFiles, protoLoaderOptions } from "@logstore/protocol";

// biome-ignore lint/suspicious/noExplicitAny: messages are what the .proto files say, which no type here knows
export type Message = any;

const loaded = loadSync([...protoFiles], { ...protoLoaderOptions, includeDirs: [fileURLToPath(protoDirectory)] });
const methods = {
  ...(loaded["logstore.v1.LogService"] as ServiceDefinition),
  ...(loaded["logstore.v1.AdminService"] as ServiceDefinition),
  ...(loaded["logstore.v1.ConsumerGroupService"] as ServiceDefinition),
};

export class ForeignClient {
  readonly #client: Client;

  constructor(
    address: string,
    options: ChannelOptions = {},
    channel: ChannelCredentials = credentials.createInsecure(),
  ) {
    // Clients of one address in a process would share connections, but tests need their own.
    this.#client = new Client(address, channel, {
      "grpc.use_local_subchannel_pool": 1,
      ...options,
    });
  }

  /** `request` may be raw bytes in place of a message. */
  call(name: string, request: Message, metadata: Record<string, string> = {}): Promise<Message> {
    const { path, requestSerialize, responseDeserialize } = method(name);
    const serialize = (message: Message) => (Buffer.isBuffer(message) ? message : requestSerialize(message));
    return new Promise((resolve, reject) => {
      const headers = Metadata.fromHttp2Headers(metadata);
      this.#client.makeUnaryRequest(path, serialize, responseDeserialize, request, headers, (error, response) => {
        if (error) reject(error);
        else resolve(response);
      });
    });
  }

  consume(request: Message): ClientReadableStream<Message> {
    const { path, requestSerialize, responseDeserialize } = method("Consume");
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  }

  produceStream(): ClientDuplexStream<Message, Message> {
    const { path, requestSerialize, responseDeserialize } = method("ProduceStream");
    const serialize = (message: Message) => (Buffer.isBuffer(message) ? message : requestSerialize(message));
    return this.#client.makeBidiStreamRequest(path, serialize, responseDeserialize);
  }

  /** A method of a service that is not one of LogStore's. */
  other(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Message, Message>,
    request: Message,
  ): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
        if (error) reject(error);
        else resolve(response);
      });
    });
  }

  otherStream({ path, requestSerialize, responseDeserialize }: MethodDefinition<Message, Message>) {
    return this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  }

  joinGroup(): ClientDuplexStream<Message, Message> {
    const { path, requestSerialize, responseDeserialize } = method("JoinGroup");
    const serialize = (message: Message) => (Buffer.isBuffer(message) ? message : requestSerialize(message));
    return this.#client.makeBidiStreamRequest(path, serialize, responseDeserialize);
  }

  close(): void {
    this.#client.close();
  }
}

function method(name: string) {
  const definition = methods[name];
  if (!definition) throw new Error(`no method ${name}`);
  return definition;
}

/** The messages of a stream up to its end, and the error with which it ended. */
export async function collect(stream: AsyncIterable<Message>): Promise<{ messages: Message[]; error?: ServiceError }> {
  const messages: Message[] = [];
  try {
    for await (const message of stream) messages.push(message);
  } catch (error) {
    return { messages, error: error as ServiceError };
  }
  return { messages };
}

export async function failure(promise: Promise<unknown>): Promise<ServiceError> {
  return promise.then(
    () => Promise.reject(new Error("it did not fail")),
    (error) => error,
  );
}

/** The retry time, in the form that any gRPC client reads. */
export function retryInfoOf(error: ServiceError): Message {
  const any = statusOf(error).details.find(
    ({ type_url }: Message) => type_url === "type.googleapis.com/google.rpc.RetryInfo",
  );
  return any && decode("RetryInfo", any.value);
}

function statusOf(error: ServiceError): Message {
  const [trailer] = error.metadata.get("grpc-status-details-bin");
  return decode("Status", trailer as Buffer);
}

/** The ErrorDetail in the trailers of a failed call. */
export function detailOf(error: ServiceError): Message {
  const status = statusOf(error);
  if (status.code !== error.code)
    throw new Error(`the details speak of status ${status.code}, the call of ${error.code}`);
  const [any] = status.details;
  if (any.type_url !== "type.googleapis.com/logstore.v1.ErrorDetail")
    throw new Error(`a detail of type ${any.type_url}`);
  return decode("ErrorDetail", any.value);
}

function decode(message: string, bytes: Buffer): Message {
  return (loaded[`logstore.v1.${message}`] as MessageTypeDefinition<object, object>).deserialize(bytes);
}
