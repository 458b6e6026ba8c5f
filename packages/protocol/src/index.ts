// The API

// For those who build a server or a client
export {
  CONSUME_HEADROOM_BYTES,
  decodeConsumeResponse,
  decodeProduceRequest,
  encodeConsumeResponse,
  encodeProduceRequest,
  PRODUCE_HEADROOM_BYTES,
} from "./batch-messages.js";
export {
  ERROR_DETAIL_TYPE_URL,
  type ErrorDetail,
  GrpcStatus,
  grpcStatusByErrorCode,
  STATUS_DETAILS_KEY,
} from "./error-codes.js";
export type {
  BatchesEvent,
  CaughtUpEvent,
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  CreateTopicRequest,
  Durability,
  HeartbeatEvent,
  ListOffsetsRequest,
  LogApi,
  LogStartMovedEvent,
  PartitionDescription,
  PartitionOffset,
  Position,
  ProduceAck,
  ProduceRequest,
  TopicDescription,
  TopicSummary,
} from "./log-api.js";
export { protoDirectory, protoFiles, protoLoaderOptions } from "./proto-files.js";
export {
  durabilityFromNumber,
  durabilityToNumber,
  type PositionMessage,
  positionFromMessage,
  positionToMessage,
} from "./wire.js";
