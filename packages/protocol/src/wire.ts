/** Conversions between protobuf messages and the API types, where the two differ. */
import type { TopicConfig, TopicConfigChange } from "./admin-api.js";
import type { Durability } from "./durability.js";
import type { ErrorDetail } from "./error-codes.js";
import type { Position } from "./position.js";

/** Enum `Durability` of log.proto. */
const durabilities = [undefined, "written", "flushed", "replicated"] as const;

/** The number of protobuf's enum Durability. Undefined is 0: the topic's. */
export function durabilityToNumber(durability: Durability | undefined): number {
  return durabilities.indexOf(durability);
}

/**
 * The durability that a request asks for. A number that this version does not know is read as
 * "flushed", so that no append is acknowledged too early.
 */
export function durabilityFromNumber(value: number): Durability | undefined {
  return value === 0 ? undefined : (durabilities[value] ?? "flushed");
}

/**
 * The durability that an answer states. A number that this version does not know is read as
 * "written", so that no more is promised than was.
 */
export function statedDurability(value: number): Durability {
  return durabilities[value] ?? "written";
}

/** The durabilities that a topic offers, without those that this version does not know. */
export function offeredDurabilities(values: readonly number[] | undefined): Durability[] {
  return (values ?? []).map((value) => durabilities[value]).filter((durability) => durability !== undefined);
}

/** Message `Position` of log.proto. */
export interface PositionMessage {
  offset?: number | undefined;
  edge?: number | undefined;
  time?: number | undefined;
}

/** Enum `Edge` of log.proto. */
const edges = [undefined, "earliest", "latest"] as const;

/** Converts a position to a message. */
export function positionToMessage(position: Position): PositionMessage {
  if (typeof position === "number") return { offset: position };
  if (typeof position === "string") return { edge: edges.indexOf(position) };
  return { time: position.time };
}

/** Returns undefined if the message is absent, or has no value that this version knows. */
export function positionFromMessage(message: PositionMessage | null | undefined): Position | undefined {
  if (message?.offset !== undefined) return message.offset;
  if (message?.time !== undefined) return { time: message.time };
  return edges[message?.edge ?? 0];
}

/** Message `TopicConfig` of admin.proto. */
export type TopicConfigMessage = { readonly [Name in Exclude<keyof TopicConfig, "durability">]?: TopicConfig[Name] } & {
  readonly durability?: number | undefined;
};

/** The fields of message `TopicConfig`, each with its name in the API. */
const configFields = {
  durability: "durability",
  segment_bytes: "segmentBytes",
  max_batch_bytes: "maxBatchBytes",
  retention_ms: "retentionMs",
  retention_bytes: "retentionBytes",
} as const satisfies Record<string, keyof TopicConfig>;

/** Converts a topic's configuration to a message. */
export function configToMessage({ durability, ...rest }: TopicConfig): TopicConfigMessage {
  return { ...rest, ...(durability !== undefined && { durability: durabilityToNumber(durability) }) };
}

/** Converts a decoded TopicConfig to the API type. */
export function configFromMessage(message: TopicConfigMessage | null | undefined): TopicConfig {
  const config: Record<string, unknown> = {};
  for (const name of Object.values(configFields)) {
    const value = message?.[name];
    if (value !== undefined) config[name] = name === "durability" ? durabilityFromNumber(value) : value;
  }
  return config;
}

/** The change in an `AlterTopicConfigRequest`. */
export interface TopicConfigChangeMessage {
  readonly set?: TopicConfigMessage | null;
  /** Names of fields, as in admin.proto. */
  readonly unset?: readonly string[];
}

/** Converts a change of configuration to a message: null becomes an entry of `unset`. */
export function configChangeToMessage(change: TopicConfigChange): TopicConfigChangeMessage {
  const set = Object.entries(change).filter(([, value]) => value !== null);
  const unset = Object.entries(configFields).filter(([, name]) => change[name] === null);
  return { set: configToMessage(Object.fromEntries(set)), unset: unset.map(([field]) => field) };
}

/** A field that this version does not know is kept under its own name, for the broker to refuse. */
export function configChangeFromMessage({ set, unset = [] }: TopicConfigChangeMessage): TopicConfigChange {
  const nulls = unset.map((field) => [configFields[field as keyof typeof configFields] ?? field, null]);
  return { ...configFromMessage(set), ...Object.fromEntries(nulls) };
}

/**
 * Copied field by field: the protobuf loader adds extra properties to messages with optional
 * fields.
 */
export function errorDetailFromMessage(message: ErrorDetail): ErrorDetail {
  const {
    code,
    message: text,
    topic,
    partition,
    offset,
    group,
    file,
    byte,
    expected,
    actual,
    retryAfterMs,
    address,
  } = message;
  return { code, message: text, topic, partition, offset, group, file, byte, expected, actual, retryAfterMs, address };
}

/** Returns the message without a `damage` that is not set. */
export function withDamageFromMessage<T extends object>({
  damage,
  ...rest
}: T & { readonly damage?: ErrorDetail | null | undefined }): Omit<T, "damage"> & { readonly damage?: ErrorDetail } {
  return damage ? { ...rest, damage: errorDetailFromMessage(damage) } : rest;
}
