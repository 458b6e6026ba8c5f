import { logPosition } from "../values/position.js";
import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";
import { partitionList, wholeNumber } from "./parsers.js";

const topic: ArgumentDefinition = { name: "topic", description: "name of the topic", completes: "topic" };

const compression: OptionDefinition = {
  flags: "--compression <name>",
  description: "how batches are compressed",
  defaultText: "none",
  choices: ["none", "gzip", "zstd"],
};

export const importCommand: CommandDefinition = {
  name: "import",
  summary: "store the records of files in a topic",
  description:
    'Files are NDJSON or CSV as "logstore export" writes them; a directory is one of the Go LogStore (0.bilog, 1.bilog, …). ' +
    'Without a file, or with "-", NDJSON comes from stdin. An import that ends early says up to which line all is stored.',
  group: commandGroups.records,
  usesPlace: true,
  arguments: [
    topic,
    { name: "file", description: "files or directories", isRequired: false, isVariadic: true, completes: "file" },
  ],
  options: [
    {
      flags: "-f, --format <name>",
      description: "format of the files; by default by their names",
      choices: ["ndjson", "csv", "bilog"],
    },
    {
      flags: "--create <partitions>",
      description: "create the topic with so many partitions if there is none",
      parse: wholeNumber(1, 1_000_000),
    },
    { flags: "--keep-partitions", description: "send each record to the partition that it names, not that of its key" },
    {
      flags: "--skip-lines <number>",
      description: "lines of the first file that are stored already",
      parse: wholeNumber(),
    },
    { flags: "--json-rows", description: "make a JSON object of each row of a CSV file" },
    { flags: "--key-column <name>", description: "column that is the key, with --json-rows" },
    compression,
  ],
  examples: [
    {
      title: "Copy a topic between servers",
      line: "logstore export orders | logstore import orders --server other:7411",
    },
    { title: "A spreadsheet as JSON", line: "logstore import users users.csv --create 4 --json-rows --key-column id" },
  ],
  load: () => import("../commands/import.js"),
};

export const exportCommand: CommandDefinition = {
  name: "export",
  summary: "write the records of a topic as NDJSON, CSV or a directory",
  description:
    "Exports what is there when it begins, one partition after another. Keys, values, headers and times are kept exactly.",
  group: commandGroups.records,
  usesPlace: true,
  arguments: [topic],
  options: [
    {
      flags: "-f, --format <name>",
      description: "ndjson, csv, or a data directory",
      choices: ["ndjson", "csv", "directory"],
    },
    { flags: "-P, --partitions <list>", description: "only these, such as 0,2-4", parse: partitionList },
    {
      flags: "--from <position>",
      description: "where to begin, as for logstore read",
      parse: (text) => logPosition(text),
    },
    {
      flags: "--until <position>",
      description: "where to end; the record there is not exported",
      parse: (text) => logPosition(text),
    },
    { flags: "-o, --output <file>", description: "a new file or directory; by default stdout", completes: "file" },
  ],
  examples: [
    { title: "A compressed file", line: "logstore export orders | gzip > orders.ndjson.gz" },
    {
      title: "A data directory with the same offsets",
      line: "logstore export orders --format directory --output orders/",
    },
  ],
  load: () => import("../commands/export.js"),
};

export const copyCommand: CommandDefinition = {
  name: "copy",
  summary: "copy a topic, also to another place, with its offsets",
  description:
    "The stored batches are copied as they are, so that each record keeps its offset and its times, and committed offsets " +
    "stay right. The copy is compared with the original afterwards. " +
    "Where offsets cannot be kept nothing is copied, unless --renumber gives the records new ones.",
  group: commandGroups.records,
  usesPlace: true,
  arguments: [topic, { name: "new-topic", description: "name of the copy, by default the same", isRequired: false }],
  options: [
    { flags: "--to <host:port,...>", description: "servers to copy to; a token for them comes from --to-profile" },
    { flags: "--to-profile <name>", description: "profile of the place to copy to", completes: "profile" },
    { flags: "--to-data <directory>", description: "data directory to copy to", completes: "directory" },
    { flags: "--continue", description: "go on with a copy that was interrupted" },
    { flags: "--groups", description: "copy the committed offsets of the topic's groups, too" },
    { flags: "--no-verify", description: "do not compare the copy with the original" },
    { flags: "--renumber", description: "give the records new offsets" },
  ],
  examples: [
    { title: "To another server, or to a cluster", line: "logstore copy orders --to other:7411 --groups" },
    { title: "From a data directory", line: "logstore copy orders --data backup/ --to other:7411" },
  ],
  load: () => import("../commands/copy.js"),
};
