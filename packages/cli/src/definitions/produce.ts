import { UsageError } from "../errors/cli-error.js";
import type { CommandDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";
import { durabilities, wholeNumber } from "./parsers.js";

/** "name=value". @throws UsageError */
function header(text: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf("=");
  if (at > 0) return { name: text.slice(0, at), value: text.slice(at + 1) };
  throw new UsageError(`a header is NAME=VALUE, not ${JSON.stringify(text)}`);
}

export const produceCommand: CommandDefinition = {
  name: "produce",
  summary: "append records from stdin or files",
  description: `Appends records to a topic, from stdin or from files ("-" is stdin).

Inputs: lines makes a record of each line; ndjson too, and refuses a line that is not JSON; records reads what
read --json writes, with keys, headers and times; file makes a record of each file, or of all of stdin.

Where a record is refused, or after Ctrl-C, what was sent before is still acknowledged and counted.`,
  group: commandGroups.records,
  usesPlace: true,
  arguments: [
    { name: "topic", description: "name of the topic", completes: "topic" },
    { name: "files", description: "what to read", isRequired: false, isVariadic: true, completes: "file" },
  ],
  options: [
    {
      flags: "-I, --input <format>",
      description: "how the input is read",
      defaultText: "lines",
      choices: ["lines", "ndjson", "records", "file"],
    },
    { flags: "-k, --key <key>", description: "key of every record" },
    { flags: "--key-field <path>", description: "lines are JSON, and this field is the key, such as customer.id" },
    { flags: "-K, --key-separator <text>", description: "each line has its key, then this, then its value" },
    {
      flags: "-H, --header <name=value>",
      description: "header of every record; may be repeated",
      isRepeatable: true,
      parse: header,
    },
    {
      flags: "-P, --partition <number>",
      description: "append to this partition",
      defaultText: "by the key",
      parse: wholeNumber(0, 2 ** 32 - 1),
    },
    { flags: "--keep-partitions", description: "with --input records, each to the partition that it names" },
    {
      flags: "-z, --compression <name>",
      description: "how batches are compressed",
      defaultText: "none",
      choices: ["none", "gzip", "zstd"],
    },
    {
      flags: "--durability <when>",
      description: "what an acknowledgement promises",
      defaultText: "the topic's",
      choices: durabilities,
    },
    { flags: "--rate <number>", description: "append at most this number of records a second", parse: wholeNumber(1) },
    { flags: "--create", description: "create the topic with one partition, unless it exists" },
  ],
  examples: [
    { title: "One record", line: "echo hello | logstore produce greetings --create" },
    { title: "JSON lines, keyed by a field", line: "logstore produce orders orders.ndjson --key-field customer.id" },
    {
      title: "Copy a day to another topic",
      line: "logstore read orders --from -24h --json | logstore produce copy --input records",
    },
    { title: "A file as one record", line: "logstore produce documents --input file --key report report.pdf" },
  ],
  load: () => import("../commands/produce.js"),
};
