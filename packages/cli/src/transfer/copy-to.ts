/** Copies a topic to another topic, in the same or another place. */
import {
  InvalidArgumentError,
  type LogApi,
  type LogClient,
  type SkippedRecords,
  type TopicDescription,
  UnknownTopicError,
} from "@logstore/client";
import type { Context } from "../command/context.js";
import { CliError } from "../errors/cli-error.js";
import { counted } from "../output/numbers.js";
import { copyGroups } from "./copy-groups.js";
import { copyTopic } from "./copy-topic.js";
import { warnOfSkipped } from "./skipped-records.js";

interface CopyOptions {
  readonly topic: string;
  readonly newTopic: string;
  readonly mayContinue?: boolean | undefined;
  readonly renumber?: boolean | undefined;
  /** Whether the committed offsets of the topic's groups are copied, too. Default false. */
  readonly groups?: boolean | undefined;
  /** Whether the copy is compared with its original, unless offsets are new. Default true. */
  readonly verify?: boolean | undefined;
}

interface Log {
  readonly client: LogClient;
  readonly api: LogApi;
}

/** Copies a topic, which is created in the target if it does not exist. */
export async function copyTo(context: Context, source: Log, target: Log, options: CopyOptions): Promise<void> {
  const { output, signal } = context;
  const { topic, newTopic, mayContinue = false, renumber = false, groups = false } = options;
  const verify = (options.verify ?? true) && !renumber;
  const from = await source.client.describeTopic(topic);
  const to = await targetTopic(context, target.client, newTopic, from, renumber);
  if (!mayContinue) checkEmpty(to);
  const all = from.partitions.reduce((sum, each) => sum + each.highWatermark - each.logStartOffset, 0);
  const total = verify ? 2 * all : all;
  const progress = await output.progress({ label: `Copying ${topic}`, total, unit: "records" });
  let records = 0;
  let compared = 0;
  const onCopied = (more: number) => {
    records += more;
    progress.update(compared + records);
  };
  const onCompared = (more: number) => {
    compared += more;
    progress.update(compared + records);
  };
  try {
    if (renumber) {
      const { copyRecords } = await import("./copy-records.js");
      const onSkipped = (skipped: SkippedRecords) => warnOfSkipped(output, skipped);
      await copyRecords({ source: source.client, target: target.client, from, to, signal, onCopied, onSkipped });
    } else await copyTopic({ source: source.api, target: target.api, from, to, signal, verify, onCopied, onCompared });
  } finally {
    progress.end();
  }
  const copiedGroups = groups ? await copyGroups({ source: source.api, target: target.api, topic, newTopic }) : [];
  await output.result(
    { topic, newTopic, records, offsetsKept: !renumber, verified: verify, groups: copiedGroups },
    () => {
      const offsets = renumber ? "new offsets" : "the same offsets";
      const line = `copied ${counted(records, "record")} of ${topic} to ${newTopic}, with ${offsets}`;
      const lines = [verify ? `${line}, and compared them` : line];
      if (groups) lines.push(`copied the committed offsets of ${counted(copiedGroups.length, "group")}`);
      return lines;
    },
  );
}

/**
 * Returns the target topic. A new one gets the number of partitions and the configuration of the
 * source.
 */
async function targetTopic(
  context: Context,
  client: LogClient,
  topic: string,
  from: TopicDescription,
  renumber: boolean,
): Promise<TopicDescription> {
  const partitions = from.partitions.length;
  let found: TopicDescription;
  try {
    found = await client.describeTopic(topic);
  } catch (error) {
    if (error instanceof UnknownTopicError) return createdLike(context, client, topic, from);
    throw error;
  }
  if (found.partitions.length === partitions || renumber) return found;
  throw new CliError(
    "OFFSETS_NOT_KEPT",
    `${from.topic} has ${counted(partitions, "partition")} and ${topic} has ${found.partitions.length}: the offsets cannot be kept`,
    { hint: "copy to a new topic, or add --renumber to send the records by their keys" },
  );
}

/** A durability that the target does not offer is left to the target. */
async function createdLike(
  { output }: Context,
  client: LogClient,
  topic: string,
  { partitions, config }: TopicDescription,
): Promise<TopicDescription> {
  const { durability, ...rest } = config;
  try {
    return await client.createTopic(topic, { partitions: partitions.length, ...config });
  } catch (error) {
    if (!(error instanceof InvalidArgumentError) || durability === undefined) throw error;
    const created = await client.createTopic(topic, { partitions: partitions.length, ...rest });
    const { durability: other } = created.effectiveConfig;
    output.warn(`${topic} has the durability ${other}: ${durability}, as the original has, is not offered there`);
    return created;
  }
}

function checkEmpty({ topic, partitions }: TopicDescription): void {
  const filled = partitions.find(({ logEndOffset }) => logEndOffset > 0);
  if (filled === undefined) return;
  throw new CliError("NOT_EMPTY", `partition ${filled.partition} of ${topic} is not empty`, {
    hint: "add --continue to go on with a copy that was interrupted, or copy to a new topic",
  });
}
