/** Copies a topic to another topic, in the same or another place. */
import {
  type LogApi,
  type LogClient,
  type SkippedRecords,
  type TopicDescription,
  UnknownTopicError,
} from "@logstore/client";
import type { Context } from "../command/context.js";
import { CliError } from "../errors/cli-error.js";
import { counted } from "../output/numbers.js";
import { copyTopic } from "./copy-topic.js";
import { warnOfSkipped } from "./skipped-records.js";

interface Names {
  readonly topic: string;
  readonly newTopic: string;
  readonly mayContinue?: boolean | undefined;
  readonly renumber?: boolean | undefined;
}

interface Log {
  readonly client: LogClient;
  readonly api: LogApi;
}

/** Copies a topic, which is created in the target if it does not exist. */
export async function copyTo(context: Context, source: Log, target: Log, names: Names): Promise<void> {
  const { output, signal } = context;
  const { topic, newTopic, mayContinue = false, renumber = false } = names;
  const from = await source.client.describeTopic(topic);
  const to = await targetTopic(target.client, newTopic, from, renumber);
  if (!mayContinue) checkEmpty(to);
  const total = from.partitions.reduce((sum, each) => sum + each.highWatermark - each.logStartOffset, 0);
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
    } else await copyTopic({ source: source.api, target: target.api, from, to, signal, onCopied, onCompared });
  } finally {
    progress.end();
  }
  const offsets = renumber ? "new offsets" : "the same offsets";
  await output.result(
    { topic, newTopic, records, offsetsKept: !renumber },
    () => `copied ${counted(records, "record")} of ${topic} to ${newTopic}, with ${offsets}`,
  );
}

/**
 * Returns the target topic. A new one gets the number of partitions and the configuration of the
 * source.
 */
async function targetTopic(
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
    if (error instanceof UnknownTopicError) return client.createTopic(topic, { partitions, ...from.config });
    throw error;
  }
  if (found.partitions.length === partitions || renumber) return found;
  throw new CliError(
    "OFFSETS_NOT_KEPT",
    `${from.topic} has ${counted(partitions, "partition")} and ${topic} has ${found.partitions.length}: the offsets cannot be kept`,
    { hint: "copy to a new topic, or add --renumber to send the records by their keys" },
  );
}

function checkEmpty({ topic, partitions }: TopicDescription): void {
  const filled = partitions.find(({ logEndOffset }) => logEndOffset > 0);
  if (filled === undefined) return;
  throw new CliError("NOT_EMPTY", `partition ${filled.partition} of ${topic} is not empty`, {
    hint: "add --continue to go on with a copy that was interrupted, or copy to a new topic",
  });
}
