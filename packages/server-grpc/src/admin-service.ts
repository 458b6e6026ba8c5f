/** AdminService of admin.proto, by way of a LogApi. Its messages have the names and types that the API has. */
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { CreateTopicRequest } from "@logstore/protocol";
import { type CallContext, unary } from "./call-context.js";

export function adminService(context: CallContext): UntypedServiceImplementation {
  const { api } = context;
  return {
    CreateTopic: unary(context, async ({ topic, partitions }: CreateTopicRequest) => ({
      topic: await api.createTopic({ topic, partitions }),
    })),
    ListTopics: unary(context, async () => ({ topics: await api.listTopics() })),
    DescribeTopic: unary(context, async ({ topic }: { topic: string }) => ({ topic: await api.describeTopic(topic) })),
  };
}
