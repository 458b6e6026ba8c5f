import type { Context } from "../../command/context.js";
import { counted } from "../../output/numbers.js";

export async function run(
  context: Context,
  _options: object,
  topic: string,
  snapshot: string,
  newTopic: string,
): Promise<void> {
  const { client } = await context.open();
  const restored = await client.restoreSnapshot(topic, snapshot, newTopic);
  await context.output.result(
    restored,
    () =>
      `created ${newTopic} with ${counted(restored.partitions.length, "partition")} from snapshot ${snapshot} of ${topic}`,
  );
}
