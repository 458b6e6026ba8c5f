/** ConsumerGroupService of group.proto, implemented by a LogApi. */
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { InvalidArgumentError } from "@logstore/codec";
import {
  type CommitOffsetsMessage,
  commitFromMessage,
  groupSummaryToMessage,
  type ResetOffsetsMessage,
  resetFromMessage,
  type TopicPartition,
} from "@logstore/protocol";
import { type CallContext, unary } from "./call-context.js";
import { describedGroup, type GroupSerializers } from "./group-answers.js";
import { encodeInPieces } from "./in-pieces.js";
import { type JoinCall, joinGroup } from "./member-stream.js";

interface GroupMessage {
  readonly group: string;
}

export function groupService(context: CallContext, serializers: GroupSerializers): UntypedServiceImplementation {
  return {
    JoinGroup: (call: JoinCall) => void joinGroup(call, context, serializers),
    CommitOffsets: unary(context, async (api, request: CommitOffsetsMessage) =>
      encodeInPieces(serializers.CommitOffsetsResponse, {
        results: await api.commitOffsets(commitFromMessage(request)),
      }),
    ),
    FetchOffsets: unary(
      context,
      async (api, { group, partitions }: GroupMessage & { partitions: readonly TopicPartition[] }) =>
        encodeInPieces(serializers.FetchOffsetsResponse, {
          offsets: await api.fetchOffsets(group, partitions.length > 0 ? partitions : undefined),
        }),
    ),
    ListGroups: unary(context, async (api) =>
      encodeInPieces(serializers.ListGroupsResponse, { groups: (await api.listGroups()).map(groupSummaryToMessage) }),
    ),
    DescribeGroup: unary(context, async (api, { group }: GroupMessage) =>
      describedGroup(await api.describeGroup(group), serializers),
    ),
    ResetOffsets: unary(context, async (api, message: ResetOffsetsMessage) => {
      const request = resetFromMessage(message);
      if (request === undefined) {
        throw new InvalidArgumentError("a reset needs an offset, an edge, a time or a shift", { group: message.group });
      }
      return encodeInPieces(serializers.ResetOffsetsResponse, { offsets: await api.resetOffsets(request) });
    }),
    DeleteGroup: unary(context, async (api, { group }: GroupMessage) => {
      await api.deleteGroup(group);
      return {};
    }),
  };
}
