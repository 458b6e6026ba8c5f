// Application API: the operations of a log store

export type {
  AdminApi,
  CreateTopicRequest,
  PartitionBounds,
  PartitionDescription,
  ServerDescription,
  ServerLimits,
  SnapshotDescription,
  TopicConfig,
  TopicConfigChange,
  TopicDescription,
  TopicOptions,
  TopicSummary,
} from "./admin-api.js";
export { isEndKnown } from "./admin-api.js";
export type { AbortSignalLike, CancelSignal, FileUrl } from "./ambient.js";
export type { OwnedBatches, ReadBudget } from "./batch-memory.js";
export { type ClusterApi, OWNER_ONLY_HEADER } from "./cluster-api.js";
export type { Durability } from "./durability.js";
export type {
  CommitOffsetsRequest,
  CommitResult,
  CommittedOffset,
  GroupApi,
  GroupCallOptions,
  GroupDescription,
  GroupMember,
  GroupPartition,
  GroupState,
  GroupSummary,
  PartitionCommit,
  ResetOffsetsRequest,
} from "./group-api.js";
export type {
  AssignedPartition,
  AssignmentEvent,
  AssignorName,
  GroupMembership,
  JoinedEvent,
  JoinGroupRequest,
  MemberEvent,
  OffsetsResetEvent,
} from "./group-membership.js";
export type {
  BatchesEvent,
  CaughtUpEvent,
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  FetchOptions,
  FetchRequest,
  FetchResult,
  GapEvent,
  HeartbeatEvent,
  ListOffsetsRequest,
  LogApi,
  LogEnds,
  LogStartMovedEvent,
  OffsetGap,
  PartitionOffset,
  ProduceAck,
  ProduceRequest,
} from "./log-api.js";
export type { Position } from "./position.js";
export type { TopicHealth, TopicHealthApi } from "./topic-health.js";
export type { TopicPartition } from "./topic-partition.js";

// For authors of servers and clients: messages, error details and .proto files

export { decodeStreamedAck, encodeStreamedAck } from "./ack-messages.js";
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
export {
  type CommitOffsetsMessage,
  commitFromMessage,
  commitResultFromMessage,
  type GroupDescriptionMessage,
  type GroupSummaryMessage,
  groupDescriptionFromMessage,
  groupDescriptionToMessage,
  groupSummaryFromMessage,
  groupSummaryToMessage,
  type JoinMessage,
  joinFromMessage,
  type MemberEventMessage,
  type MemberMessage,
  memberEventFromMessage,
  memberEventToMessage,
  type OffsetsResetMessage,
  type ResetOffsetsMessage,
  resetFromMessage,
  resetToMessage,
} from "./group-wire.js";
export { frameCopy, frameInPlace } from "./grpc-frame.js";
export type { MessageCodec } from "./message-codec.js";
export { MessageJoiner } from "./message-joiner.js";
export { type Descriptors, MessageSchema, type MethodSchema } from "./message-schema.js";
export { descriptorFiles, protoFiles, protoLoaderOptions } from "./proto-files.js";
export { descriptorSetFile, protoDirectory } from "./proto-paths.js";
export { type MessageStream, receiveInPlace } from "./receive-in-place.js";
export {
  configChangeFromMessage,
  configChangeToMessage,
  configFromMessage,
  configToMessage,
  durabilityFromNumber,
  durabilityToNumber,
  offeredDurabilities,
  type PositionMessage,
  positionFromMessage,
  positionToMessage,
  statedDurability,
  type TopicConfigChangeMessage,
  type TopicConfigMessage,
  withDamageFromMessage,
} from "./wire.js";
