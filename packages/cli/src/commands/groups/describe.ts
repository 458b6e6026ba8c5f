import type { GroupMember, GroupPartition } from "@logstore/client";
import type { Context } from "../../command/context.js";
import { count, counted, duration } from "../../output/numbers.js";
import type { Column } from "../../output/table.js";
import { lagFormat, lagText, waitingText } from "./lag-look.js";
import { stateFormat } from "./list.js";

export async function run(context: Context, _options: object, group: string): Promise<void> {
  const { client } = await context.open();
  const description = await client.describeGroup(group);
  const { output } = context;
  await output.result(description, () => {
    const { state, assignor, groupEpoch, members, partitions } = description;
    const lag = sumOf(partitions);
    const facts: [string, string][] = [
      ["group", group],
      ["state", output.style(stateFormat(state), state)],
      ["assignor", assignor],
      ["epoch", count(groupEpoch)],
      ["lag", output.style(lagFormat(lag), `${counted(lag.lag, "record")}${waiting(lag)}`)],
    ];
    const names = new Map(members.map((member) => [member.memberId, nameOf(member)]));
    return [
      ...facts.map(([name, value]) => `${output.style("bold", name.padEnd(8))}  ${value}`),
      ...(members.length === 0 ? [] : ["", ...output.table(members, memberColumns)]),
      ...(partitions.length === 0 ? [] : ["", ...output.table(partitions, partitionColumns(names))]),
    ];
  });
}

export function sumOf(partitions: readonly GroupPartition[]): { readonly lag: number; readonly lagMs: number } {
  return partitions.reduce((sum, each) => ({ lag: sum.lag + each.lag, lagMs: Math.max(sum.lagMs, each.lagMs) }), {
    lag: 0,
    lagMs: 0,
  });
}

function waiting({ lag, lagMs }: { readonly lag: number; readonly lagMs: number }): string {
  return lag === 0 ? "" : `, waiting for ${duration(lagMs)}`;
}

/** The name by which users recognize a member. */
function nameOf({ clientId, instanceId, memberId }: GroupMember): string {
  return instanceId || clientId || memberId.slice(0, 8);
}

const memberColumns: readonly Column<GroupMember>[] = [
  { title: "MEMBER", value: nameOf, minWidth: 8 },
  { title: "ID", value: ({ memberId }) => memberId, minWidth: 8, format: () => "dim" },
  { title: "PARTITIONS", align: "right", value: ({ assigned }) => count(assigned.length) },
  {
    title: "GIVING UP",
    align: "right",
    isOptional: true,
    value: ({ revoking }) => (revoking.length === 0 ? undefined : count(revoking.length)),
    format: () => "yellow",
  },
  {
    title: "CONNECTED",
    value: ({ connected }) => (connected ? "yes" : "no"),
    format: ({ connected }) => (connected ? undefined : "red"),
  },
  { title: "TOPICS", value: ({ topics }) => topics.join(", "), minWidth: 8 },
];

function partitionColumns(names: ReadonlyMap<string, string>): readonly Column<GroupPartition>[] {
  return [
    { title: "TOPIC", value: ({ topic }) => topic, minWidth: 8 },
    { title: "PARTITION", align: "right", value: ({ partition }) => String(partition) },
    {
      title: "COMMITTED",
      align: "right",
      value: ({ committedOffset }) => (committedOffset === undefined ? undefined : count(committedOffset)),
    },
    { title: "END", align: "right", value: ({ logEndOffset }) => count(logEndOffset) },
    { title: "LAG", align: "right", value: lagText, format: lagFormat },
    { title: "WAITING", align: "right", value: waitingText, format: lagFormat },
    {
      title: "MEMBER",
      value: ({ memberId }) => (memberId === undefined ? undefined : (names.get(memberId) ?? memberId)),
      minWidth: 8,
    },
    {
      title: "DAMAGE",
      isOptional: true,
      value: ({ damage }) => (damage === undefined ? undefined : `${damage.code}: ${damage.message}`),
      minWidth: 10,
      format: () => "red",
    },
  ];
}
