import { yesOption } from "./common-options.js";
import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";
import { wholeNumber } from "./parsers.js";

const directory: ArgumentDefinition = {
  name: "directory",
  description: "data directory of a server, or a log store",
  completes: "directory",
};
const onlyTopic: OptionDefinition = { flags: "-t, --topic <name>", description: "only this topic of a data directory" };

export const inspectCommand: CommandDefinition = {
  name: "inspect",
  summary: "show segments, batches and records as they lie on disk",
  description:
    "Reads the files themselves, sound or damaged, also beside a running server; changes nothing. Shows the topics of a data " +
    "directory, or the segments of a topic or log store, or the batches of a segment. What the files themselves do not " +
    "tell, such as a last segment that is missing, is found by verify.",
  group: commandGroups.directory,
  arguments: [
    { ...directory, name: "path", description: "data directory, log store or segment file", completes: "file" },
  ],
  options: [
    onlyTopic,
    { flags: "--partition <number>", description: "only this partition", parse: wholeNumber(0, 2 ** 32 - 1) },
    { flags: "--batches", description: "show the batches of each segment" },
    { flags: "--records", description: "also their records" },
    { flags: "--hex", description: "show each byte, with the names of the format" },
    { flags: "--offset <number>", description: "only the batch that holds this offset", parse: wholeNumber() },
  ],
  examples: [
    { title: "The bytes of a record", line: "logstore inspect data/ --topic orders --partition 0 --offset 42 --hex" },
  ],
  load: () => import("../commands/inspect/inspect.js"),
};

export const verifyCommand: CommandDefinition = {
  name: "verify",
  summary: "read everything and say what is damaged",
  description: "Changes nothing, and works beside a running server. The exit code is 1 where something is damaged.",
  group: commandGroups.directory,
  arguments: [directory],
  options: [onlyTopic],
  load: () => import("../commands/verify.js"),
};

export const repairCommand: CommandDefinition = {
  name: "repair",
  summary: "make damaged partitions whole again",
  description:
    "Shows first what would be done. Damaged bytes are kept in .damaged files, and offsets that are lost are never given " +
    "again. The server must be stopped; opening the directory recovers it as a start of the server does.",
  group: commandGroups.directory,
  arguments: [directory],
  options: [onlyTopic, { flags: "--dry-run", description: "only show what would be done" }, yesOption],
  load: () => import("../commands/repair.js"),
};
