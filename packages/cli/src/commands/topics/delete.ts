import { confirm } from "../../command/confirm.js";
import type { Context } from "../../command/context.js";
import { counted } from "../../output/numbers.js";

/** Checks all topics first: if one is missing, none is deleted. */
export async function run(context: Context, { yes }: { readonly yes?: boolean }, topics: string[]): Promise<void> {
  const { client } = await context.open();
  const described = await Promise.all([...new Set(topics)].map((topic) => client.describeTopic(topic)));
  const what = described.map(({ topic, partitions }) => {
    const records = partitions.reduce((sum, each) => sum + each.highWatermark - each.logStartOffset, 0);
    return `${topic} with ${counted(records, "record")}`;
  });
  await confirm(context, `Delete ${what.join(", ")} for good`, yes);
  for (const { topic, topicId } of described) {
    context.signal.throwIfAborted();
    await client.deleteTopic(topic, topicId ? { topicId } : {});
    await context.output.result({ topic, topicId, deleted: true }, () => `deleted ${topic}`);
  }
}
