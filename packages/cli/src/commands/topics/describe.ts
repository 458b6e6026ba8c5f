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
    const entry = (name: string, value: string, own: boolean) =>
      `${style("bold", name.padEnd(15))} ${value}${own ? "" : style("dim", " (default)")}`;
    const facts = [
      entry("topic", topic, true),
      entry("id", topicId || "none", true),
      entry("partitioner", partitioner, true),
      entry("durability", effectiveConfig.durability ?? "unknown", config.durability !== undefined),
      ...settings.map(([name, key, format]) => {
        const value = effectiveConfig[key] as number | undefined;
        return entry(name, value === undefined ? "no limit" : format(value), config[key] !== undefined);
      }),
    ];
    return [...facts, "", ...output.table(partitions, columns)];
  });
}
