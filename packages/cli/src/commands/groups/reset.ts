import { confirm } from "../../command/confirm.js";
import type { Context } from "../../command/context.js";
import { UnconfirmedError, UsageError } from "../../errors/cli-error.js";
import { count, counted } from "../../output/numbers.js";
import type { Column } from "../../output/table.js";
import type { LogPosition } from "../../values/position.js";
import { applyReset, type ResetOutcome } from "./reset-apply.js";
import { resetFailure } from "./reset-failure.js";
import { type PlannedReset, planReset, type Target } from "./reset-plan.js";

interface Options {
  readonly to?: LogPosition;
  readonly shift?: number;
  readonly topic?: readonly string[];
  readonly partitions?: readonly number[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Shows the changes before they are made. */
export async function run(context: Context, options: Options, group: string): Promise<void> {
  const target = targetOf(options);
  const { client } = await context.open();
  const description = await client.describeGroup(group);
  const { topic: topics, partitions, dryRun, yes } = options;
  const plans = await planReset(client, description, { topics, partitions }, target);
  const { output } = context;
  const members = description.members.length;
  const changed = plans.filter(({ from, to }) => from !== to);
  if (!output.json) await output.write(`${output.table(plans, columns).join("\n")}\n`);
  if (dryRun || changed.length === 0) {
    if (output.json)
      await output.list(
        plans.map(({ topicId: _, ...plan }) => ({ group, ...plan, done: false })),
        [],
        "",
      );
    output.note(changed.length === 0 ? "nothing would change" : `${counted(changed.length, "offset")} would change`);
    return;
  }
  if (members > 0) output.note(`${counted(members, "member")} will go on at the new offsets`);
  try {
    await confirm(context, `Reset ${counted(changed.length, "offset")} of group ${group}`, yes);
  } catch (error) {
    if (!(error instanceof UnconfirmedError) || context.stdin.isTTY) throw error;
    throw new UnconfirmedError(error.message, { hint: "add --yes to do what is shown, or --dry-run to only look" });
  }
  const outcome = await applyReset(client, group, plans, target);
  if (output.json) await output.list(rowsOf(group, outcome), [], "");
  if (outcome.failure !== undefined) throw resetFailure(group, outcome);
  if (!output.json) await output.line(`reset ${counted(changed.length, "offset")} of group ${group}`);
}

/** `done` is null if it is not known. */
function rowsOf(group: string, { done, unknown, left }: ResetOutcome) {
  const planned = (plans: readonly PlannedReset[], isDone: false | null) =>
    plans.map(({ topic, partition, to }) => ({ group, topic, partition, to, done: isDone }));
  return [
    ...done.map(({ topic, partition, offset }) => ({ group, topic, partition, to: offset, done: true })),
    ...planned(unknown, null),
    ...planned(left, false),
  ];
}

/** @throws UsageError */
function targetOf({ to, shift }: Options): Target {
  if ((to === undefined) === (shift === undefined)) {
    throw new UsageError("say where to: either --to or --shift", {
      hint: "such as --to earliest, --to -15m, --shift -100",
    });
  }
  return to ?? { type: "shift", records: shift! };
}

const columns: readonly Column<PlannedReset>[] = [
  { title: "TOPIC", value: ({ topic }) => topic, minWidth: 8 },
  { title: "PARTITION", align: "right", value: ({ partition }) => String(partition) },
  { title: "COMMITTED", align: "right", value: ({ from }) => (from === undefined ? undefined : count(from)) },
  {
    title: "NEW",
    align: "right",
    value: ({ to }) => count(to),
    format: ({ from, to }) => (from === to ? "dim" : "bold"),
  },
  {
    title: "CHANGE",
    align: "right",
    value: ({ from, to }) => (from === undefined ? undefined : to > from ? `+${count(to - from)}` : count(to - from)),
    format: ({ from = 0, to }) => (to < from ? "yellow" : to > from ? "cyan" : "dim"),
  },
  { title: "LAG AFTER", align: "right", value: ({ to, logEndOffset }) => count(logEndOffset - to) },
];
