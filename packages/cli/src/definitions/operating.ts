import { durationMs } from "../values/duration.js";
import type { CommandDefinition, OptionDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";
import { durabilities, sizeBytes, wholeNumber } from "./parsers.js";

const MAX_PORT = 65_535;

export const devCommand: CommandDefinition = {
  name: "dev",
  summary: "start a server to play with",
  description:
    "Without a directory the data is in a temporary one, which is deleted at the end. Says what to try next, and then what " +
    "happens. Nobody but this machine can reach it; use logstore serve for everything else.",
  group: commandGroups.operation,
  arguments: [{ name: "directory", description: "data directory to keep", isRequired: false, completes: "directory" }],
  options: [
    {
      flags: "--port <number>",
      description: "port to listen on, 0 for any",
      defaultText: "7411",
      parse: wholeNumber(0, MAX_PORT),
    },
    {
      flags: "--partitions <number>",
      description: "partitions of the topic that it begins with",
      defaultText: "4",
      parse: wholeNumber(1, 1_000),
    },
  ],
  examples: [{ title: "A playground", line: "logstore dev" }],
  load: () => import("../commands/dev.js"),
};

export const serveCommand: CommandDefinition = {
  name: "serve",
  summary: "serve a data directory",
  description: "The same as logstore-server, with the same options: logstore serve --help shows them.",
  group: commandGroups.operation,
  examples: [{ title: "On this machine only", line: "logstore serve --data ./data --port 7411" }],
  load: () => import("../commands/serve.js"),
};

function limits(what: string, description: string, parse: (text: string) => unknown): OptionDefinition[] {
  return ["warn", "crit"].map((level) => ({
    flags: `--${level}-${what}`,
    description: `${level === "warn" ? "warning" : "critical"} where ${description}`,
    parse,
  }));
}

export const checkCommand: CommandDefinition = {
  name: "check",
  summary: "say in one line whether all is well, for monitoring",
  description:
    "Prints a line for Nagios and its relatives, or JSON, and ends with 0 for OK, 1 for WARNING, 2 for CRITICAL, 3 for UNKNOWN. " +
    "A damaged topic or a server that does not answer is CRITICAL; a topic or group that is named and does not exist is UNKNOWN.",
  group: commandGroups.operation,
  usesPlace: true,
  options: [
    {
      flags: "-g, --group <name>",
      description: "only this group; may be repeated",
      isRepeatable: true,
      completes: "group",
    },
    {
      flags: "-t, --topic <name>",
      description: "only this topic; may be repeated",
      isRepeatable: true,
      completes: "topic",
    },
    ...limits("lag <records>", "the lag of a group reaches this number of records", wholeNumber()),
    ...limits("waiting <duration>", "records of a group have waited for this long", durationMs),
    ...limits("answer <duration>", "the answers take this long", durationMs),
    { flags: "--min-members <number>", description: "critical where a group has fewer members", parse: wholeNumber() },
  ],
  examples: [
    {
      title: "Alarm when a group falls behind",
      line: "logstore check --group billing --warn-waiting 30s --crit-waiting 5m",
    },
  ],
  load: () => import("../commands/check.js"),
};

export const topCommand: CommandDefinition = {
  name: "top",
  summary: "watch topics, rates, groups and lag",
  description:
    "A live screen at a terminal: q quits, s sorts, r reverses, + and - change the interval. Elsewhere a table.",
  group: commandGroups.operation,
  usesPlace: true,
  options: [
    { flags: "-i, --interval <duration>", description: "time between two looks", defaultText: "2s", parse: durationMs },
    {
      flags: "--sort <by>",
      description: "order of the rows",
      defaultText: "rate",
      choices: ["rate", "name", "records", "lag"],
    },
    { flags: "-n, --count <number>", description: "print so many tables instead of a screen", parse: wholeNumber(1) },
  ],
  load: () => import("../commands/top.js"),
};

export const benchCommand: CommandDefinition = {
  name: "bench",
  summary: "measure a place: rates and percentiles",
  description:
    "Sends records to a topic of its own and reads them back. With --rate, records are due at fixed times, and latencies count " +
    "from then on, so that stalls are not hidden.",
  group: commandGroups.operation,
  usesPlace: true,
  options: [
    { flags: "-n, --records <number>", description: "records to send", defaultText: "100,000", parse: wholeNumber(1) },
    { flags: "--size <size>", description: "size of a value", defaultText: "100", parse: sizeBytes },
    {
      flags: "-r, --rate <number>",
      description: "records a second; by default as many as possible",
      parse: wholeNumber(1),
    },
    {
      flags: "--partitions <number>",
      description: "partitions of the topic",
      defaultText: "4",
      parse: wholeNumber(1, 10_000),
    },
    { flags: "-t, --topic <name>", description: "an existing topic, which keeps the records", completes: "topic" },
    { flags: "--only <phase>", description: "only produce or consume", choices: ["produce", "consume"] },
    { flags: "--compression <name>", description: "how batches are compressed", choices: ["none", "gzip", "zstd"] },
    { flags: "--durability <when>", description: "when an append is acknowledged", choices: durabilities },
  ],
  examples: [{ title: "Latencies at 5,000 records a second", line: "logstore bench --rate 5000 --records 50000" }],
  load: () => import("../commands/bench.js"),
};
