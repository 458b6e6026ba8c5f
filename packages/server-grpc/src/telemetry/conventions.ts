/**
 * Names that OpenTelemetry's semantic conventions (1.45) give to what we count and trace. Many of
 * them are not stable there; here they are, until a release says otherwise.
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

/** Who measures. */
export const SCOPE = "@logstore/server-grpc";
