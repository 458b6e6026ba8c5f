/** AdminService of admin.proto, implemented by a LogApi. */
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { InvalidArgumentError } from "@logstore/codec";
import {
  configChangeFromMessage,
  configFromMessage,
  configToMessage,
  durabilityToNumber,
  type PositionMessage,
  type ServerDescription,
  type TopicConfigChangeMessage,
  type TopicConfigMessage,
  type TopicDescription,
} from "@logstore/protocol";
import { MAX_PARTITIONS_PER_TOPIC } from "../transport/limits.js";
import type { AdminSerializers } from "./admin-serializers.js";
import { type CallContext, unary } from "./call-context.js";
import { asField, encodeInPieces } from "./in-pieces.js";
import { positionOf } from "./position.js";

interface TopicMessage {
  readonly topic: string;
}

/** An empty id is not checked. */
interface TopicWithIdMessage extends TopicMessage {
  readonly topicId: string;
}

interface SnapshotMessage extends TopicMessage {
  readonly snapshot: string;
}

interface CreateTopicMessage extends TopicMessage {
  readonly partitions: number;
  readonly config: TopicConfigMessage | null;
  readonly ifNotExists: boolean;
}

/** Number of the field with topic descriptions or snapshots in the responses. */
const ONLY_FIELD = 1;

export function adminService(context: CallContext, serializers: AdminSerializers): UntypedServiceImplementation {
  const describedTopic = async (description: TopicDescription) => {
    const message = descriptionMessage(description, context);
    return Buffer.concat(asField(ONLY_FIELD, await encodeInPieces(serializers.TopicDescription, message)));
  };
  return {
    DescribeServer: unary(context, async (api) => describeServer(await api.describeServer(), context.server)),
    CreateTopic: unary(context, async (api, { topic, partitions, config, ifNotExists }: CreateTopicMessage) => {
      if (partitions > MAX_PARTITIONS_PER_TOPIC) {
        throw new InvalidArgumentError(
          `a topic on this server may have ${MAX_PARTITIONS_PER_TOPIC} partitions, not ${partitions}`,
          { topic, expected: MAX_PARTITIONS_PER_TOPIC, actual: partitions },
        );
      }
      const created = await api.createTopic({ topic, partitions, config: configFromMessage(config), ifNotExists });
      return describedTopic(created);
    }),
    ListTopics: unary(context, async (api) =>
      encodeInPieces(serializers.ListTopicsResponse, { topics: await api.listTopics() }),
    ),
    DescribeTopic: unary(context, async (api, { topic }: TopicMessage) =>
      describedTopic(await api.describeTopic(topic)),
    ),
    AlterTopicConfig: unary(
      context,
      async (api, { topic, topicId, ...change }: TopicWithIdMessage & TopicConfigChangeMessage) => ({
        config: configToMessage(await api.alterTopicConfig(topic, configChangeFromMessage(change), { topicId })),
      }),
    ),
    DeleteTopic: unary(context, async (api, { topic, topicId }: TopicWithIdMessage) => {
      await api.deleteTopic(topic, { topicId });
      return {};
    }),
    DeleteRecords: unary(
      context,
      async (
        api,
        {
          topic,
          topicId,
          partition,
          before,
        }: TopicWithIdMessage & { partition: number; before: PositionMessage | null },
      ) => ({
        logStartOffset: await api.deleteRecords(topic, partition, positionOf(before), { topicId }),
      }),
    ),
    CreateSnapshot: unary(context, async (api, { topic, snapshot }: SnapshotMessage) => {
      const made = await api.createSnapshot(topic, snapshot);
      return Buffer.concat(asField(ONLY_FIELD, await encodeInPieces(serializers.Snapshot, made)));
    }),
    ListSnapshots: unary(context, async (api, { topic }: TopicMessage) => {
      const pieces: Buffer[] = [];
      for (const snapshot of await api.listSnapshots(topic === "" ? undefined : topic)) {
        pieces.push(...asField(ONLY_FIELD, await encodeInPieces(serializers.Snapshot, snapshot)));
      }
      return Buffer.concat(pieces);
    }),
    DeleteSnapshot: unary(context, async (api, { topic, snapshot }: SnapshotMessage) => {
      await api.deleteSnapshot(topic, snapshot);
      return {};
    }),
    RestoreSnapshot: unary(
      context,
      async (api, { topic, snapshot, newTopic }: SnapshotMessage & { newTopic: string }) =>
        describedTopic(await api.restoreSnapshot(topic, snapshot, newTopic)),
    ),
  };
}

/** The effective batch limit of a topic is at most that of the server. */
function descriptionMessage(
  { config, effectiveConfig, durabilities, ...description }: TopicDescription,
  { server }: CallContext,
) {
  const { maxBatchBytes = Number.POSITIVE_INFINITY } = server.limits;
  const taken =
    effectiveConfig.maxBatchBytes === undefined
      ? {}
      : { maxBatchBytes: Math.min(maxBatchBytes, effectiveConfig.maxBatchBytes) };
  return {
    ...description,
    config: configToMessage(config),
    effectiveConfig: configToMessage({ ...effectiveConfig, ...taken }),
    durabilities: durabilities.map(durabilityToNumber),
  };
}

/** The log's description, completed and narrowed by the server. */
function describeServer(log: ServerDescription, server: ServerDescription): ServerDescription {
  const { maxBatchBytes = Number.POSITIVE_INFINITY } = server.limits;
  const limits = { ...log.limits, ...server.limits };
  return {
    version: server.version,
    limits: { ...limits, maxBatchBytes: Math.min(maxBatchBytes, log.limits.maxBatchBytes ?? maxBatchBytes) },
  };
}
