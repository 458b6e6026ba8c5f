import type { Context } from "../../command/context.js";
import { counted } from "../../output/numbers.js";
import { type SelectionOptions, selects } from "./selection.js";

/** Ctrl-C ends it between two records. */
export async function run(
  { open, output, signal }: Context,
  options: SelectionOptions,
  topic: string,
  group: string,
): Promise<void> {
  const { client } = await open();
  const isSelected = selects(options);
  const { replayed, kept } = await client.parked(topic, group).replay({
    filter: (record) => {
      signal.throwIfAborted();
      return isSelected(record);
    },
  });
  await output.result({ topic, group, replayed, kept }, () =>
    replayed + kept === 0
      ? `group ${group} has parked nothing of topic ${topic}`
      : `replayed ${counted(replayed, "record")} to ${topic}${kept === 0 ? "" : `; ${counted(kept, "record")} stay parked`}`,
  );
}
