import type { Durability, TopicConfigChange } from "@logstore/client";
import { UsageError } from "../../errors/cli-error.js";

/** Options of `create` and `alter` that are a topic's configuration. */
export interface ConfigOptions {
  readonly retention?: number | "default";
  readonly retentionSize?: number | "default";
  readonly segmentSize?: number | "default";
  readonly maxBatchSize?: number | "default";
  readonly durability?: string;
}

/** Only what was given. @throws UsageError */
export function configOf(options: ConfigOptions): TopicConfigChange {
  const { retention, retentionSize, segmentSize, maxBatchSize, durability } = options;
  if (durability !== undefined && !["flushed", "written", "default"].includes(durability)) {
    throw new UsageError(`--durability is flushed or written, not ${JSON.stringify(durability)}`);
  }
  const given = {
    retentionMs: retention,
    retentionBytes: retentionSize,
    segmentBytes: segmentSize,
    maxBatchBytes: maxBatchSize,
    durability: durability as Durability | "default" | undefined,
  };
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, value === "default" ? null : value]));
}
