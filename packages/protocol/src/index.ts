// The API
export type {
  AdminApi,
  CreateTopicRequest,
  PartitionBounds,
  PartitionDescription,
  SnapshotDescription,
  TopicConfig,
  TopicConfigChange,
  TopicDescription,
  TopicHealth,
  TopicHealthApi,
  TopicSummary,
} from "./admin-api.js";
// For those who build a server or a client
export {
  CONSUME_HEADROOM_BYTES,
  decodeConsumeResponse,
  decodeFetchResponse,
  decodeProduceRequest,
  encodeConsumeResponse,
  encodeFetchResponse,
  encodeProduceRequest,
  PRODUCE_HEADROOM_BYTES,
} from "./batch-messages.js";
export {
  ERROR_DETAIL_TYPE_URL,
  type ErrorDetail,
  GrpcStatus,
  grpcStatusByErrorCode,
  RETRY_INFO_TYPE_URL,
  STATUS_DETAILS_KEY,
} from "./error-codes.js";
export type {
  BatchesEvent,
  CaughtUpEvent,
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  Durability,
  FetchOptions,
  FetchRequest,
  FetchResult,
  HeartbeatEvent,
  ListOffsetsRequest,
  LogApi,
  LogStartMovedEvent,
  PartitionOffset,
  Position,
  ProduceAck,
  ProduceRequest,
  ReadBudget,
} from "./log-api.js";
export { descriptorFiles, descriptorSetFile, protoDirectory, protoFiles, protoLoaderOptions } from "./proto-files.js";
export {
  configChangeFromMessage,
  configChangeToMessage,
  configFromMessage,
  configToMessage,
  durabilityFromNumber,
  durabilityToNumber,
  type PositionMessage,
  positionFromMessage,
  positionToMessage,
  type TopicConfigChangeMessage,
  type TopicConfigMessage,
} from "./wire.js";
