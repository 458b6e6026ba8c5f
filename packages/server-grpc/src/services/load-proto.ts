/** Loads the services and messages of the .proto files for grpc-js. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from "@grpc/proto-loader";
import {
  decodeProduceRequest,
  descriptorFiles,
  descriptorSetFile,
  encodeConsumeResponse,
  encodeFetchResponse,
  encodeStreamedAck,
  type FetchResult,
  type ProduceRequest,
  protoDirectory,
  protoFiles,
  protoLoaderOptions,
} from "@logstore/protocol";
import { protoPath as healthProto } from "grpc-health-check";
import { MAX_PLAIN_REQUEST_BYTES } from "../transport/limits.js";
import type { AdminSerializers } from "./admin-serializers.js";
import type { GroupSerializers } from "./group-answers.js";
import { healthDescriptorSet } from "./health-descriptor.js";
import type { Serialize } from "./in-pieces.js";
import { receiving } from "./malformed.js";
import type { StreamedAnswer } from "./streamed-answer.js";

export interface Proto {
  readonly logService: ServiceDefinition;
  readonly adminService: ServiceDefinition;
  readonly groupService: ServiceDefinition;
  readonly healthService: ServiceDefinition;
  /** Everything that is served, for reflection. */
  readonly definition: PackageDefinition;
  readonly encodeListOffsets: Serialize;
  readonly admin: AdminSerializers;
  readonly group: GroupSerializers;
  /** Serializers of the messages that contain errors. */
  readonly encodeErrorDetail: (detail: object) => Buffer;
  readonly encodeStatus: (status: object) => Buffer;
  readonly encodeRetryInfo: (info: object) => Buffer;
}

/** What precedes a message in gRPC: a flag and its length. */
const GRPC_PREFIX_BYTES = 5;

const adminMessages: readonly (keyof AdminSerializers)[] = ["TopicDescription", "Snapshot", "ListTopicsResponse"];
const groupMessages: readonly (keyof GroupSerializers)[] = [
  "Assignment",
  "OffsetsReset",
  "GroupMember",
  "DescribeGroupResponse",
  "CommitOffsetsResponse",
  "FetchOffsetsResponse",
  "ResetOffsetsResponse",
  "ListGroupsResponse",
];

export function loadProto(): Proto {
  const loaded = loadSync([...protoFiles], { ...protoLoaderOptions, includeDirs: [fileURLToPath(protoDirectory)] });
  const health = loadSync(healthProto, { enums: String, defaults: true });
  const service = (name: string) => tolerant(loaded[`logstore.v1.${name}`] as ServiceDefinition);
  const message = (name: string) => loaded[`logstore.v1.${name}`] as MessageTypeDefinition<object, object>;
  return {
    logService: passThrough(encodedAlready(service("LogService"))),
    adminService: encodedAlready(service("AdminService")),
    groupService: encodedAlready(service("ConsumerGroupService")),
    healthService: health["grpc.health.v1.Health"] as ServiceDefinition,
    definition: { logstore: compiled(readFileSync(descriptorSetFile)), health: compiled(healthDescriptorSet) },
    encodeListOffsets: message("ListOffsetsResponse").serialize,
    admin: serializersOf(adminMessages, message),
    group: serializersOf(groupMessages, message),
    encodeErrorDetail: message("ErrorDetail").serialize,
    encodeStatus: message("Status").serialize,
    encodeRetryInfo: message("RetryInfo").serialize,
  };
}

function serializersOf<Name extends string>(
  names: readonly Name[],
  message: (name: string) => MessageTypeDefinition<object, object>,
): Record<Name, Serialize> {
  return Object.fromEntries(names.map((name) => [name, message(name).serialize])) as Record<Name, Serialize>;
}

/**
 * The compiler's file descriptors as a definition. Those that proto-loader generates from the same
 * files rename fields and omit imports, so that clients which validate them refuse them.
 */
function compiled(descriptorSet: Uint8Array) {
  const fileDescriptorProtos = descriptorFiles(descriptorSet).map((file) => Buffer.from(file));
  // Reflection uses only the file descriptors of a definition.
  return { fileDescriptorProtos } as unknown as MessageTypeDefinition<object, object>;
}

/** Makes each method pass on messages that cannot be decoded, for the handler to refuse. */
function tolerant(service: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: receiving(method.requestDeserialize, MAX_PLAIN_REQUEST_BYTES) },
    ]),
  );
}

/** Makes responses that are encoded already be sent as they are. */
function encodedAlready(service: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      {
        ...method,
        responseSerialize: (answer: unknown) => (Buffer.isBuffer(answer) ? answer : method.responseSerialize(answer)),
      },
    ]),
  );
}

/**
 * Makes the messages that carry batches be encoded by hand, so that their bytes are neither copied
 * nor parsed, and those that acknowledge them.
 */
function passThrough(service: ServiceDefinition): ServiceDefinition {
  const { Produce, ProduceStream, Consume, Fetch } = service as Record<string, MethodDefinition<unknown, unknown>>;
  const requestDeserialize = receiving(decodeProduce);
  const serializeAnswer = (answer: StreamedAnswer) =>
    "ack" in answer ? asBuffer(encodeStreamedAck(answer.ack)) : ProduceStream!.responseSerialize(answer);
  const serializeEvent = (event: Parameters<typeof encodeConsumeResponse>[0]) => asBuffer(encodeConsumeResponse(event));
  return {
    ...service,
    Produce: { ...Produce, requestDeserialize },
    ProduceStream: { ...ProduceStream, requestDeserialize, responseSerialize: serializeAnswer },
    Consume: { ...Consume, responseSerialize: serializeEvent },
    Fetch: { ...Fetch, responseSerialize: (result: FetchResult) => asBuffer(encodeFetchResponse(result)) },
  } as ServiceDefinition;
}

/**
 * Nobody else uses the message: the log may free its buffer, unless other messages share it, as
 * short ones do.
 */
function decodeProduce(message: Buffer): ProduceRequest {
  const isOwned = message.length + GRPC_PREFIX_BYTES === message.buffer.byteLength;
  return { ...decodeProduceRequest(message), isOwned };
}

/** A view of the same bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
