import { fromJSON, type MessageTypeDefinition, type ServiceDefinition } from "@grpc/proto-loader";
import { protoLoaderOptions } from "@logstore/protocol";
import { descriptors } from "@logstore/protocol/descriptors";

let loaded: ReturnType<typeof load> | undefined;

/**
 * The services and error messages of the protocol. They are loaded once, when gRPC is used first.
 */
export function protocolDefinitions(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}

function load() {
  const definitions = fromJSON(descriptors, protoLoaderOptions);
  const service = (name: string) => definitions[`logstore.v1.${name}`] as ServiceDefinition;
  // biome-ignore lint/suspicious/noExplicitAny: messages are described by the .proto files
  const message = (name: string) => definitions[`logstore.v1.${name}`] as MessageTypeDefinition<any, any>;
  return {
    log: service("LogService"),
    admin: service("AdminService"),
    groups: service("ConsumerGroupService"),
    status: message("Status"),
    errorDetail: message("ErrorDetail"),
  };
}
