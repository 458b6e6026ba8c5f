import { confirm } from "../../command/confirm.js";
import type { Context } from "../../command/context.js";
import { CliError } from "../../errors/cli-error.js";
import { counted } from "../../output/numbers.js";

/** Checks all groups first: if one is missing or has members, none is deleted. */
export async function run(context: Context, { yes }: { readonly yes?: boolean }, groups: string[]): Promise<void> {
  const { client } = await context.open();
  const described = await Promise.all([...new Set(groups)].map((group) => client.describeGroup(group)));
  const busy = described.find(({ members }) => members.length > 0);
  if (busy !== undefined) {
    const message = `group ${busy.group} has ${counted(busy.members.length, "member")}, and nothing was deleted`;
    throw new CliError("GROUP_NOT_EMPTY", message, {
      hint: "stop them first; one that crashed is removed after its session timeout",
    });
  }
  const what = described.map(({ group, partitions }) => {
    const committed = partitions.filter(({ committedOffset }) => committedOffset !== undefined).length;
    return `group ${group} with its offsets of ${counted(committed, "partition")}`;
  });
  await confirm(context, `Delete ${what.join(", ")}`, yes);
  for (const { group } of described) {
    context.signal.throwIfAborted();
    await client.deleteGroup(group);
    await context.output.result({ group, deleted: true }, () => `deleted group ${group}`);
  }
}
