/**
 * Names from OpenTelemetry's semantic conventions (1.45). Many of them are not stable there; here
 * they stay until a release note says otherwise.
 */
export const DESTINATION = "messaging.destination.name";
export const MESSAGING_SYSTEM = "messaging.system.name";
export const OPERATION_NAME = "messaging.operation.name";
export const PARTITION_ID = "messaging.destination.partition.id";
export const CONSUMER_GROUP = "messaging.consumer.group.name";
export const MESSAGE_COUNT = "messaging.batch.message_count";
export const ERROR_TYPE = "error.type";
export const RPC_SYSTEM = "rpc.system.name";
export const RPC_METHOD = "rpc.method";
export const RPC_STATUS = "rpc.response.status_code";

/** Name of the instrumentation scope. */
export const SCOPE = "@logstore/server-grpc";
