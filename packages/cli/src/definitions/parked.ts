import { yesOption } from "./common-options.js";
import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";
import { wholeNumber } from "./parsers.js";

const topic: ArgumentDefinition = {
  name: "topic",
  description: "topic that the records came from",
  completes: "topic",
};
const group: ArgumentDefinition = { name: "group", description: "group that parked them", completes: "group" };

const selection: readonly OptionDefinition[] = [
  {
    flags: "--offset <offset>",
    description: "only this one, by AT of the list; may be repeated",
    isRepeatable: true,
    parse: wholeNumber(),
  },
  { flags: "-k, --key <key>", description: "only those with this key; may be repeated", isRepeatable: true },
  { flags: "--reason <text>", description: "only those whose reason contains this" },
];

export const parkedCommand: CommandDefinition = {
  name: "parked",
  summary: "list, show, replay and drop records that a group put aside",
  description:
    "A consumer parks a record that keeps failing, so that the others go on. These commands look at such records, send them\nto their topic again once the fault is mended, or drop them.",
  group: commandGroups.server,
  commands: [
    {
      name: "list",
      summary: "list parked records, or the topics that hold some",
      usesPlace: true,
      arguments: [
        { ...topic, isRequired: false },
        { ...group, isRequired: false },
      ],
      options: [{ flags: "-n, --count <number>", description: "at most so many", parse: wholeNumber(1) }, ...selection],
      load: () => import("../commands/parked/list.js"),
    },
    {
      name: "show",
      summary: "show a parked record with all that is known of it",
      usesPlace: true,
      arguments: [topic, group, { name: "offset", description: "AT of the list", parse: wholeNumber() }],
      load: () => import("../commands/parked/show.js"),
    },
    {
      name: "replay",
      summary: "send parked records to their topic again",
      usesPlace: true,
      arguments: [topic, group],
      options: selection,
      examples: [{ title: "Once the fault is mended", line: "logstore parked replay orders billing" }],
      load: () => import("../commands/parked/replay.js"),
    },
    {
      name: "drop",
      summary: "drop parked records for good",
      usesPlace: true,
      arguments: [topic, group],
      options: [...selection, yesOption],
      load: () => import("../commands/parked/drop.js"),
    },
  ],
};
