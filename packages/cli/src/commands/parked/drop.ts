import { confirm } from "../../command/confirm.js";
import type { Context } from "../../command/context.js";
import { counted } from "../../output/numbers.js";
import { type SelectionOptions, selects } from "./selection.js";

type Options = SelectionOptions & { readonly yes?: boolean };

/** Removes records from the parked topic without replaying them. */
export async function run(context: Context, options: Options, topic: string, group: string): Promise<void> {
  const { client } = await context.open();
  const isSelected = selects(options);
  const parked = client.parked(topic, group);
  const chosen = new Set<number>();
  for await (const record of parked) if (isSelected(record)) chosen.add(record.parkedOffset);
  const { output, signal } = context;
  if (chosen.size > 0) {
    await confirm(
      context,
      `Drop ${counted(chosen.size, "record")} that ${group} parked of ${topic}, for good`,
      options.yes,
    );
  }
  const { replayed: dropped, kept } =
    chosen.size === 0
      ? { replayed: 0, kept: 0 }
      : await parked.replay({
          // Records that were parked since the confirmation are not included in it.
          filter: ({ parkedOffset }) => {
            signal.throwIfAborted();
            return chosen.has(parkedOffset);
          },
          to: () => {},
        });
  await output.result({ topic, group, dropped, kept }, () =>
    dropped === 0
      ? "nothing was dropped"
      : `dropped ${counted(dropped, "record")}; ${counted(kept, "record")} stay parked`,
  );
}
