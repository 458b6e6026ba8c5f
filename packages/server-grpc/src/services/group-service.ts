/** ConsumerGroupService of group.proto, by way of a LogApi. */
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { InvalidArgumentError } from "@logstore/codec";
import {
  type CommitOffsetsMessage,
  commitFromMessage,
  groupDescriptionToMessage,
  groupSummaryToMessage,
  type ResetOffsetsMessage,
  resetFromMessage,
  type TopicPartition,
} from "@logstore/protocol";
import { type CallContext, unary } from "./call-context.js";
import { type JoinCall, joinGroup } from "./member-stream.js";

interface GroupMessage {
  readonly group: string;
}

export function groupService(context: CallContext): UntypedServiceImplementation {
  return {
    JoinGroup: (call: JoinCall) => void joinGroup(call, context),
    CommitOffsets: unary(context, async (api, request: CommitOffsetsMessage) => ({
      results: await api.commitOffsets(commitFromMessage(request)),
    })),
    FetchOffsets: unary(
      context,
      async (api, { group, partitions }: GroupMessage & { partitions: readonly TopicPartition[] }) => ({
        offsets: await api.fetchOffsets(group, partitions.length > 0 ? partitions : undefined),
      }),
    ),
    ListGroups: unary(context, async (api) => ({ groups: (await api.listGroups()).map(groupSummaryToMessage) })),
    DescribeGroup: unary(context, async (api, { group }: GroupMessage) =>
      groupDescriptionToMessage(await api.describeGroup(group)),
    ),
    ResetOffsets: unary(context, async (api, message: ResetOffsetsMessage) => {
      const request = resetFromMessage(message);
      if (request === undefined) {
        throw new InvalidArgumentError("a reset needs an offset, an edge, a time or a shift", { group: message.group });
      }
      return { offsets: await api.resetOffsets(request) };
    }),
    DeleteGroup: unary(context, async (api, { group }: GroupMessage) => {
      await api.deleteGroup(group);
      return {};
    }),
  };
}
