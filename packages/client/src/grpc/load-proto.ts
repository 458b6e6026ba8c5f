/** The services and error messages of the protocol, for grpc-js. */
import type { MethodDefinition } from "@grpc/grpc-js";
import { type MessageCodec, MessageSchema, type MethodSchema } from "@logstore/protocol";
import { descriptors } from "@logstore/protocol/descriptors";

/** A method whose messages are described by the .proto files. */
export type Method = MethodDefinition<object, object>;

/** The methods of a service by name. */
export type Service = { readonly [name: string]: Method };

let loaded: ReturnType<typeof load> | undefined;

/** They are prepared once, when gRPC is used first. */
export function protocolDefinitions(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}

function load() {
  const schema = new MessageSchema(descriptors);
  const service = (name: string): Service =>
    Object.fromEntries(Object.entries(schema.methods(name)).map(([method, of]) => [method, definitionOf(of)]));
  return {
    log: service("LogService"),
    admin: service("AdminService"),
    groups: service("ConsumerGroupService"),
    status: schema.message("Status"),
    errorDetail: schema.message("ErrorDetail"),
  };
}

function definitionOf({ path, requestStream, responseStream, request, response }: MethodSchema): Method {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: serializeWith(request),
    requestDeserialize: request.decode,
    responseSerialize: serializeWith(response),
    responseDeserialize: response.decode,
  };
}

/** grpc-js wants a Buffer: the same bytes, not copied. */
function serializeWith({ encode }: MessageCodec): (message: object) => Buffer {
  return (message) => {
    const { buffer, byteOffset, length } = encode(message);
    return Buffer.from(buffer, byteOffset, length);
  };
}
