/** The services and messages of the .proto files, as grpc-js wants them. */
import { fileURLToPath } from "node:url";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import {
  decodeProduceRequest,
  encodeConsumeResponse,
  encodeFetchResponse,
  type FetchResult,
  protoDirectory,
  protoFiles,
  protoLoaderOptions,
} from "@logstore/protocol";
import { receiving } from "./malformed.js";

export interface Proto {
  readonly logService: ServiceDefinition;
  readonly adminService: ServiceDefinition;
  readonly groupService: ServiceDefinition;
  /** Serializers of the messages that errors travel in. */
  readonly encodeErrorDetail: (detail: object) => Buffer;
  readonly encodeStatus: (status: object) => Buffer;
}

export function loadProto(): Proto {
  const loaded = loadSync([...protoFiles], { ...protoLoaderOptions, includeDirs: [fileURLToPath(protoDirectory)] });
  const service = (name: string) => tolerant(loaded[`logstore.v1.${name}`] as ServiceDefinition);
  const message = (name: string) => loaded[`logstore.v1.${name}`] as MessageTypeDefinition<object, object>;
  return {
    logService: passThrough(service("LogService")),
    adminService: service("AdminService"),
    groupService: service("ConsumerGroupService"),
    encodeErrorDetail: message("ErrorDetail").serialize,
    encodeStatus: message("Status").serialize,
  };
}

/** Has every method take what cannot be decoded for the handler to refuse. */
function tolerant(service: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: receiving(method.requestDeserialize) },
    ]),
  );
}

/** Has the messages that carry batches framed by hand around bytes that nobody copies or looks at. */
function passThrough(service: ServiceDefinition): ServiceDefinition {
  const { Produce, ProduceStream, Consume, Fetch } = service as Record<string, MethodDefinition<unknown, unknown>>;
  const requestDeserialize = receiving(decodeProduceRequest);
  const serializeEvent = (event: Parameters<typeof encodeConsumeResponse>[0]) => asBuffer(encodeConsumeResponse(event));
  return {
    ...service,
    Produce: { ...Produce, requestDeserialize },
    ProduceStream: { ...ProduceStream, requestDeserialize },
    Consume: { ...Consume, responseSerialize: serializeEvent },
    Fetch: { ...Fetch, responseSerialize: (result: FetchResult) => asBuffer(encodeFetchResponse(result)) },
  } as ServiceDefinition;
}

/** The same bytes, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
