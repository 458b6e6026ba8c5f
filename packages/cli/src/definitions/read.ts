import { logPosition } from "../values/position.js";
import type { CommandDefinition, OptionDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";
import { partitionList, wholeNumber } from "./parsers.js";

const position = (text: string) => logPosition(text);

/** What `read` and `tail` have in common. */
const options: readonly OptionDefinition[] = [
  {
    flags: "-P, --partitions <list>",
    description: "only these, such as 0,2-4",
    defaultText: "all",
    parse: partitionList,
  },
  { flags: "-n, --count <number>", description: "end after this number of records", parse: wholeNumber() },
  { flags: "-k, --key <key>", description: "only records with this key; may be repeated", isRepeatable: true },
  { flags: "-g, --grep <pattern>", description: "only records whose value matches a regular expression" },
  { flags: "-i, --ignore-case", description: "--grep ignores case" },
  { flags: "-f, --filter <expression>", description: "only records for which an expression of JavaScript is true" },
  {
    flags: "-o, --format <name>",
    description: "how records are written",
    defaultText: "text on a terminal, else json",
    choices: ["text", "json", "value", "raw", "hex"],
  },
  { flags: "--format-string <string>", description: "such as '%p:%o %k %v\\n', see above" },
  { flags: "--json-values", description: "in JSON, values that are JSON as such instead of as text" },
];

const explanation = `Records of several partitions are shown in the order of their times; those of one partition keep their order.

A position is earliest, latest, an offset (42), records before the end of each partition (-100), a time ago (-15m),
or a time (2026-11-27, 2026-11-27T09:30Z).

A filter is an expression of JavaScript with key, value (parsed if it is JSON), text, headers, topic, partition,
offset, timestamp (ms) and time (a Date). It is run as it is: use your own only.

Formats: text is for people; json is one object a line; value is the value alone, one a line; raw is the bytes of the
values with nothing between them; hex is a dump. In a format string: %t topic, %p partition, %o offset, %k key, %K its length, %v value, %S its
length, %T time in ms, %d date, %h headers, %% a percent sign, and \\n, \\t, \\r, \\0.`;

const topic = {
  name: "topic",
  description: "name of the topic; may be left out for a directory with one topic",
  isRequired: false,
  completes: "topic",
} as const;

export const readCommand: CommandDefinition = {
  name: "read",
  summary: "read records from one position to another, and end",
  description: `Reads the records of a topic from one position to another, and ends.\n\n${explanation}`,
  group: commandGroups.records,
  usesPlace: true,
  arguments: [topic],
  options: [
    { flags: "--from <position>", description: "where to begin", defaultText: "earliest", parse: position },
    {
      flags: "--until <position>",
      description: "where to end; the record there is not shown",
      defaultText: "latest",
      parse: position,
    },
    ...options,
  ],
  examples: [
    { title: "Everything of the last quarter of an hour", line: "logstore read orders --from -15m" },
    { title: "The last 100 records of partition 3", line: "logstore read orders --partitions 3 --from -100" },
    { title: "What one customer did", line: "logstore read orders --key customer-7" },
    { title: "Large orders, as JSON", line: "logstore read orders --filter 'value.amount > 100' --json | jq .value" },
    { title: "A data directory, beside its server", line: "logstore read orders --data ./data" },
    { title: "A log store, beside the program that writes to it", line: "logstore read --data ./logs" },
  ],
  load: () => import("../commands/read/read.js"),
};

export const tailCommand: CommandDefinition = {
  name: "tail",
  summary: "show the last records, and those that are appended",
  description: `Shows the last records of a topic, and those that are appended from then on, until Ctrl-C.\n\n${explanation}`,
  group: commandGroups.records,
  usesPlace: true,
  arguments: [topic],
  options: [
    { flags: "--from <position>", description: "where to begin", defaultText: "-10", parse: position },
    ...options,
  ],
  examples: [
    { title: "What comes in", line: "logstore tail orders --from latest" },
    { title: "Failures only", line: "logstore tail orders --grep failed --ignore-case" },
  ],
  load: () => import("../commands/read/tail.js"),
};
