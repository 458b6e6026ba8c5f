import type { PartitionDescription, TopicConfig } from "@logstore/client";
import type { Context } from "../../command/context.js";
import { bytes, count, duration } from "../../output/numbers.js";
import type { Column } from "../../output/table.js";

const columns: readonly Column<PartitionDescription>[] = [
  { title: "PARTITION", align: "right", value: ({ partition }) => String(partition) },
  { title: "START", align: "right", value: ({ logStartOffset }) => count(logStartOffset) },
  { title: "END", align: "right", value: ({ highWatermark }) => count(highWatermark) },
  {
    title: "RECORDS",
    align: "right",
    value: ({ logStartOffset, highWatermark }) => count(highWatermark - logStartOffset),
  },
  {
    title: "NOT YET READABLE",
    align: "right",
    isOptional: true,
    value: ({ highWatermark, logEndOffset }) =>
      logEndOffset > highWatermark ? count(logEndOffset - highWatermark) : undefined,
  },
  {
    title: "DAMAGE",
    isOptional: true,
    value: ({ damage }) => (damage === undefined ? undefined : `${damage.code}: ${damage.message}`),
    minWidth: 10,
    format: () => "red",
  },
];

const settings: readonly [string, keyof TopicConfig, (value: number) => string][] = [
  ["retention", "retentionMs", duration],
  ["retention size", "retentionBytes", bytes],
  ["segment size", "segmentBytes", bytes],
  ["max batch size", "maxBatchBytes", bytes],
];

export async function run(context: Context, _options: object, topic: string): Promise<void> {
  const { client } = await context.open();
  const { topicId, partitioner, config, effectiveConfig, partitions } = await client.describeTopic(topic);
  const { output } = context;
  const { style } = output;
  await output.result({ topic, topicId, partitioner, config, effectiveConfig, partitions }, () => {
    const entry = (name: string, value: string) => `${style("bold", name.padEnd(15))} ${value}`;
    // A directory does not contain the options of the process that writes to it.
    const isKnown = Object.keys(effectiveConfig).length > 0;
    const setting = (name: string, key: keyof TopicConfig, text: (value: never) => string, none = "no limit") => {
      const value = config[key] ?? effectiveConfig[key];
      if (value === undefined)
        return entry(name, isKnown ? `${none} ${style("dim", "(default)")}` : "set by the writer");
      return entry(name, text(value as never) + (config[key] === undefined ? style("dim", " (default)") : ""));
    };
    const facts = [
      entry("topic", topic),
      entry("id", topicId || "none"),
      entry("partitioner", partitioner),
      setting("durability", "durability", (value: string) => value, "unknown"),
      ...settings.map(([name, key, format]) => setting(name, key, format)),
    ];
    return [...facts, "", ...output.table(partitions, columns)];
  });
}
