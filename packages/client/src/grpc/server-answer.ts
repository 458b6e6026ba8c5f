/** Descriptions of topics and of the server, as AdminService's answers carry them. */
import {
  configFromMessage,
  offeredDurabilities,
  type ServerDescription,
  type ServerLimits,
  type TopicConfigMessage,
  type TopicDescription,
  withDamageFromMessage,
} from "@logstore/protocol";
import { checkPartitions } from "./check-answer.js";

type TopicMessage = Omit<TopicDescription, "config" | "effectiveConfig" | "durabilities"> & {
  readonly config: TopicConfigMessage;
  readonly effectiveConfig: TopicConfigMessage | null;
  readonly durabilities?: readonly number[];
};

/** @throws InternalError for partitions that are not numbered from 0 on */
export function topicIn({ topic }: { topic: TopicMessage }): TopicDescription {
  const { config, effectiveConfig, durabilities, ...description } = topic;
  checkPartitions(description.topic, description.partitions);
  return {
    ...description,
    partitions: description.partitions.map((partition) => withDamageFromMessage(partition)),
    config: configFromMessage(config),
    effectiveConfig: configFromMessage(effectiveConfig),
    durabilities: offeredDurabilities(durabilities),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: answers are what admin.proto says
export function serverIn({ version, limits }: any): ServerDescription {
  return { version, limits: limitsIn(limits) };
}

/** The limits of an answer, without the names that the loader adds for optional fields. */
function limitsIn(message: Record<string, unknown> | null): ServerLimits {
  const limits = Object.entries(message ?? {}).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(limits);
}
