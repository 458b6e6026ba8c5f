import type { Durability, TopicConfigChange } from "@logstore/client";

/** Options of `create` and `alter` that are a topic's configuration. */
export interface ConfigOptions {
  readonly retention?: number | "default";
  readonly retentionSize?: number | "default";
  readonly segmentSize?: number | "default";
  readonly maxBatchSize?: number | "default";
  readonly durability?: Durability | "default";
}

/** Contains only the options that were given. */
export function configOf(options: ConfigOptions): TopicConfigChange {
  const { retention, retentionSize, segmentSize, maxBatchSize, durability } = options;
  const given = {
    retentionMs: retention,
    retentionBytes: retentionSize,
    segmentBytes: segmentSize,
    maxBatchBytes: maxBatchSize,
    durability,
  };
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, value === "default" ? null : value]));
}
