import type { Context } from "../../command/context.js";
import { UsageError } from "../../errors/cli-error.js";
import { type ConfigOptions, configOf } from "./config.js";

export async function run(context: Context, options: ConfigOptions, topic: string): Promise<void> {
  const change = configOf(options);
  if (Object.keys(change).length === 0) {
    throw new UsageError("nothing is to be changed", { hint: "logstore topics alter --help shows what can be" });
  }
  const { client } = await context.open();
  const config = await client.alterTopicConfig(topic, change);
  const { output } = context;
  await output.result({ topic, config }, () => `altered ${topic}: ${Object.keys(change).join(", ")}`);
}
