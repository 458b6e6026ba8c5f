import { UsageError } from "../errors/cli-error.js";
import { logPosition } from "../values/position.js";
import { yesOption } from "./common-options.js";
import type { ArgumentDefinition, CommandDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";
import { partitionList } from "./parsers.js";

const group: ArgumentDefinition = { name: "group", description: "name of the group", completes: "group" };

/** @throws UsageError */
function shift(text: string): number {
  const records = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(records)) return records;
  throw new UsageError(`a number of records such as 100 or -100 is needed, not ${JSON.stringify(text)}`);
}

export const groupsCommand: CommandDefinition = {
  name: "groups",
  summary: "list, describe, reset and delete consumer groups, and show their lag",
  group: commandGroups.server,
  commands: [
    { name: "list", summary: "list the groups", usesPlace: true, load: () => import("../commands/groups/list.js") },
    {
      name: "describe",
      summary: "show a group's members, partitions, offsets and lag",
      usesPlace: true,
      arguments: [group],
      load: () => import("../commands/groups/describe.js"),
    },
    {
      name: "lag",
      summary: "show how far groups are behind, topic by topic",
      usesPlace: true,
      arguments: [
        { ...group, name: "groups", description: "names of groups; all if none", isRequired: false, isVariadic: true },
      ],
      load: () => import("../commands/groups/lag.js"),
    },
    {
      name: "reset",
      summary: "set a group's committed offsets",
      description: `Sets the committed offsets of a group, of all its partitions or of some, and shows before what will change.
Members go on at the new offsets, without a restart. An offset beyond a partition's bounds becomes the nearest one within.

A position is earliest, latest, an offset (42), records before the end of each partition (-100), a time ago (-15m),
or a time (2026-11-27, 2026-11-27T09:30Z).`,
      usesPlace: true,
      arguments: [group],
      options: [
        { flags: "--to <position>", description: "where the group is to go on", parse: (text) => logPosition(text) },
        {
          flags: "--shift <records>",
          description: "move forward by this number of records, or back: -100",
          parse: shift,
        },
        {
          flags: "-t, --topic <topic>",
          description: "only this topic, also one that the group never read; may be repeated",
          isRepeatable: true,
          completes: "topic",
        },
        { flags: "-P, --partitions <list>", description: "only these partitions, such as 0,2-4", parse: partitionList },
        { flags: "--dry-run", description: "only show what would change" },
        yesOption,
      ],
      examples: [
        { title: "Process the last hour again", line: "logstore groups reset billing --to -1h --yes" },
        {
          title: "Skip the record that partition 3 is stuck at",
          line: "logstore groups reset billing --topic orders --partitions 3 --shift 1",
        },
      ],
      load: () => import("../commands/groups/reset.js"),
    },
    {
      name: "delete",
      summary: "delete groups without members, with their offsets",
      usesPlace: true,
      arguments: [{ ...group, name: "groups", isVariadic: true }],
      options: [yesOption],
      load: () => import("../commands/groups/delete.js"),
    },
  ],
};
