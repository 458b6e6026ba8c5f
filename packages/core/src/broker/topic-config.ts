/** What may be said of a topic: options of its log store that outlive the broker, and may be altered while it is open. */
import { InvalidArgumentError } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import { type LogStoreOptions, resolveOptions } from "../store/options.js";

export interface TopicConfig {
  /** When an append is acknowledged, unless it says so itself. */
  readonly durability?: Durability | undefined;
  /** A partition goes on in a new file when one would become longer than this, bytes. */
  readonly segmentBytes?: number | undefined;
  /** Longest batch that is taken in, bytes. */
  readonly maxBatchBytes?: number | undefined;
  /** Records are deleted some time after they have become older than this, ms. */
  readonly retentionMs?: number | undefined;
  /** A partition's oldest segments are deleted while the others hold this many bytes or more. */
  readonly retentionBytes?: number | undefined;
}

/** A change: what is undefined stays, what is null goes back to the broker's own. */
export type TopicConfigChange = { readonly [Name in keyof TopicConfig]?: TopicConfig[Name] | null };

const NAMES = ["durability", "segmentBytes", "maxBatchBytes", "retentionMs", "retentionBytes"] as const;

/**
 * The configuration after a change.
 *
 * @throws InvalidArgumentError where a name or a value is none
 */
export function changedConfig(config: TopicConfig, change: TopicConfigChange): TopicConfig {
  const changed: Record<string, unknown> = { ...config };
  for (const [name, value] of Object.entries(change)) {
    if (!NAMES.some((known) => known === name)) {
      throw new InvalidArgumentError(`a topic has no ${JSON.stringify(name)}: it has ${NAMES.join(", ")}`);
    }
    if (value === null) delete changed[name];
    else if (value !== undefined) changed[name] = value;
  }
  resolveOptions(changed);
  return changed;
}

/** The options of a topic's log store: its own, else the broker's. */
export function topicOptions(config: TopicConfig, byDefault: LogStoreOptions): LogStoreOptions {
  const options: LogStoreOptions = { ...byDefault, ...config };
  return options;
}

/** Everything that can be altered, said anew: what the topic no longer names is the broker's again. */
export function alteredOptions(config: TopicConfig, byDefault: LogStoreOptions): TopicConfig {
  return Object.fromEntries(NAMES.map((name) => [name, config[name] ?? byDefault[name]]));
}
