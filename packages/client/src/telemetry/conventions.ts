/**
 * Attribute names, from OpenTelemetry's semantic conventions for messaging (1.45) where these
 * define one.
 */
export const SYSTEM = "messaging.system.name";
export const OPERATION_NAME = "messaging.operation.name";
export const OPERATION_TYPE = "messaging.operation.type";
export const DESTINATION = "messaging.destination.name";
export const PARTITION_ID = "messaging.destination.partition.id";
export const MESSAGE_COUNT = "messaging.batch.message_count";
export const ERROR_TYPE = "error.type";
export const OFFSET = "logstore.offset";
export const DURABILITY = "logstore.durability";

/** Name of the instrumentation scope. */
export const SCOPE = "@logstore/client";
