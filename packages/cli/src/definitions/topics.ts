import { durationMs } from "../values/duration.js";
import { yesOption } from "./common-options.js";
import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";
import { durability, orDefault, sizeBytes, wholeNumber } from "./parsers.js";

const topic: ArgumentDefinition = { name: "topic", description: "name of the topic", completes: "topic" };

/** The options that `create` and `alter` have in common. */
function configOptions<T>(wrap: (parse: (text: string) => unknown) => (text: string) => T): OptionDefinition[] {
  return [
    {
      flags: "--retention <duration>",
      description: "age after which records are deleted, such as 7d",
      parse: wrap(durationMs),
    },
    {
      flags: "--retention-size <size>",
      description: "size that a partition keeps, such as 10GiB",
      parse: wrap(sizeBytes),
    },
    { flags: "--segment-size <size>", description: "size of a segment file, such as 64MiB", parse: wrap(sizeBytes) },
    {
      flags: "--max-batch-size <size>",
      description: "largest batch that is accepted, such as 1MiB",
      parse: wrap(sizeBytes),
    },
    {
      flags: "--durability <when>",
      description: "when an append is acknowledged: written, replicated or flushed",
      parse: wrap(durability),
    },
  ];
}

export const topicsCommand: CommandDefinition = {
  name: "topics",
  summary: "list, describe, create, alter and delete topics",
  group: commandGroups.server,
  commands: [
    {
      name: "list",
      summary: "list the topics",
      usesPlace: true,
      options: [{ flags: "--sizes", description: "also count their records, with a call for each topic" }],
      examples: [{ title: "The topics of a server", line: "logstore topics list --server localhost:7411" }],
      load: () => import("../commands/topics/list.js"),
    },
    {
      name: "describe",
      summary: "show a topic's configuration and partitions",
      usesPlace: true,
      arguments: [topic],
      load: () => import("../commands/topics/describe.js"),
    },
    {
      name: "create",
      summary: "create a topic",
      usesPlace: true,
      arguments: [topic],
      options: [
        {
          flags: "-n, --partitions <number>",
          description: "number of partitions",
          defaultText: "1",
          parse: wholeNumber(1, 1_000_000),
        },
        { flags: "--if-not-exists", description: "succeed where the topic exists with as many partitions" },
        ...configOptions((parse) => parse),
      ],
      examples: [
        {
          title: "A topic with 8 partitions that keeps a week",
          line: "logstore topics create orders --partitions 8 --retention 7d",
        },
      ],
      load: () => import("../commands/topics/create.js"),
    },
    {
      name: "alter",
      summary: "change a topic's configuration",
      description: 'What is not named stays as it is. "default" goes back to the server\'s own value.',
      usesPlace: true,
      arguments: [topic],
      options: configOptions(orDefault),
      examples: [
        {
          title: "Keep a day, and as much as the server keeps by default",
          line: "logstore topics alter orders --retention 1d --retention-size default",
        },
      ],
      load: () => import("../commands/topics/alter.js"),
    },
    {
      name: "delete",
      summary: "delete topics with all their records",
      usesPlace: true,
      arguments: [{ ...topic, isVariadic: true }],
      options: [yesOption],
      load: () => import("../commands/topics/delete.js"),
    },
  ],
};
