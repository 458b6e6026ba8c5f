import { type TopicConfig, TopicExistsError } from "@logstore/client";
import type { Context } from "../../command/context.js";
import { counted } from "../../output/numbers.js";
import { type ConfigOptions, configOf } from "./config.js";

interface Options extends ConfigOptions {
  readonly partitions?: number;
  readonly ifNotExists?: boolean;
}

export async function run(context: Context, options: Options, topic: string): Promise<void> {
  const { partitions = 1, ifNotExists } = options;
  const config = configOf(options) as TopicConfig;
  const { api } = await context.open();
  const request = { topic, partitions, config };
  const described = counted(partitions, "partition");
  try {
    const created = await api.createTopic(request);
    await context.output.result(created, () => `created ${topic} with ${described}`);
  } catch (error) {
    if (!ifNotExists || !(error instanceof TopicExistsError)) throw error;
    const existing = await api.createTopic({ ...request, ifNotExists }); // refused if the partitions differ
    await context.output.result(existing, () => `${topic} exists already, with ${described}`);
  }
}
