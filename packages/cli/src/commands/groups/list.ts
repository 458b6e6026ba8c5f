import type { GroupSummary } from "@logstore/client";
import type { Context } from "../../command/context.js";
import { count } from "../../output/numbers.js";
import type { Format } from "../../output/style.js";
import { placeName } from "../../place/place.js";

const formats: Readonly<Record<GroupSummary["state"], Format>> = {
  stable: "green",
  rebalancing: "yellow",
  empty: "dim",
};

export function stateFormat(state: GroupSummary["state"]): Format {
  return formats[state];
}

export async function run(context: Context): Promise<void> {
  const { client, place } = await context.open();
  await context.output.list(
    await client.listGroups(),
    [
      { title: "GROUP", value: ({ group }) => group, minWidth: 12 },
      { title: "STATE", value: ({ state }) => state, format: ({ state }) => stateFormat(state) },
      { title: "MEMBERS", align: "right", value: ({ memberCount }) => count(memberCount) },
    ],
    `there are no groups at ${placeName(place)}`,
  );
}
