import { confirm } from "../../command/confirm.js";
import type { Context } from "../../command/context.js";

export async function run(
  context: Context,
  { yes }: { readonly yes?: boolean },
  topic: string,
  snapshot: string,
): Promise<void> {
  const { client } = await context.open();
  await confirm(context, `Delete snapshot ${snapshot} of ${topic} for good`, yes);
  await client.deleteSnapshot(topic, snapshot);
  await context.output.result({ topic, snapshot, deleted: true }, () => `deleted snapshot ${snapshot} of ${topic}`);
}
