import type { GroupPartition } from "@logstore/client";
import type { Context } from "../../command/context.js";
import { count } from "../../output/numbers.js";
import { placeName } from "../../place/place.js";
import { sumOf } from "./describe.js";
import { type Lag, lagFormat, lagText, waitingText } from "./lag-look.js";

interface Row extends Lag {
  readonly group: string;
  readonly topic: string;
  readonly partitions: number;
  readonly members: number;
  /** Number of partitions that no member owns. */
  readonly idle: number;
}

/** Prints a line for each topic of each group, by default of all groups. */
export async function run(context: Context, _options: object, groups: string[] | undefined): Promise<void> {
  const { client, place } = await context.open();
  const isAll = groups === undefined || groups.length === 0;
  const names = isAll ? (await client.listGroups()).map(({ group }) => group) : [...new Set(groups)];
  const rows: Row[] = [];
  for (const group of names) {
    const { partitions, members } = await client.describeGroup(group);
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
    for (const [topic, some] of byTopic) {
      rows.push({ group, topic, partitions: some.length, members: members.length, ...sumOf(some), idle: idle(some) });
    }
  }
  await context.output.list<Row>(
    rows,
    [
      { title: "GROUP", value: ({ group }) => group, minWidth: 10 },
      { title: "TOPIC", value: ({ topic }) => topic, minWidth: 10 },
      { title: "PARTITIONS", align: "right", value: ({ partitions }) => count(partitions) },
      {
        title: "UNOWNED",
        align: "right",
        isOptional: true,
        value: ({ idle }) => (idle === 0 ? undefined : count(idle)),
      },
      { title: "MEMBERS", align: "right", value: ({ members }) => count(members) },
      { title: "LAG", align: "right", value: lagText, format: lagFormat },
      { title: "WAITING", align: "right", value: waitingText, format: lagFormat },
    ],
    `no group at ${placeName(place)} has partitions`,
  );
}

function idle(partitions: readonly GroupPartition[]): number {
  return partitions.filter(({ memberId }) => memberId === undefined).length;
}
