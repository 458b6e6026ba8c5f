import type { TopicConfig } from "@logstore/client";
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
  const created = await api.createTopic({ topic, partitions, config, ifNotExists });
  await context.output.result(created, () => `created ${topic} with ${counted(partitions, "partition")}`);
}
