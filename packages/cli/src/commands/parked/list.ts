import type { LogClient, ParkedRecord } from "@logstore/client";
import type { Context } from "../../command/context.js";
import { UsageError } from "../../errors/cli-error.js";
import { count, counted, time } from "../../output/numbers.js";
import { recordJson } from "../../values/record-json.js";
import { textOf } from "../../values/text-or-bytes.js";
import { type SelectionOptions, selects } from "./selection.js";

const SUFFIX = ".parked";

/** The records that a group parked; without arguments, the topics that hold such records. */
export async function run(
  context: Context,
  options: SelectionOptions & { readonly count?: number },
  topic: string | undefined,
  group: string | undefined,
): Promise<void> {
  const { client } = await context.open();
  if (topic === undefined) return listTopics(context, client);
  if (group === undefined) throw new UsageError("the group is missing that parked the records");
  const isSelected = selects(options);
  const records: ParkedRecord[] = [];
  for await (const record of client.parked(topic, group)) {
    if (!isSelected(record)) continue;
    records.push(copied(record));
    if (records.length >= (options.count ?? Number.POSITIVE_INFINITY)) break;
  }
  const { output } = context;
  if (output.json) {
    for (const record of records) await output.line(JSON.stringify(parkedJson(record)));
    return;
  }
  await output.list(
    records,
    [
      { title: "AT", align: "right", value: ({ parkedOffset }) => String(parkedOffset) },
      { title: "FROM", value: ({ partition, offset }) => `${partition}:${offset}`, format: () => "dim" },
      { title: "PARKED", value: ({ parkedAt }) => time(parkedAt), format: () => "blue" },
      { title: "TRIES", align: "right", value: ({ attempts }) => count(attempts) },
      { title: "KEY", value: ({ key }) => (key === null ? undefined : textOf(key)), minWidth: 8, format: () => "cyan" },
      { title: "REASON", value: ({ reason }) => reason, minWidth: 16, format: () => "red" },
    ],
    `group ${group} has parked nothing of topic ${topic}`,
  );
}

/** The bytes of a record are views of a buffer that is much larger. */
function copied(record: ParkedRecord): ParkedRecord {
  return { ...record, key: record.key && Uint8Array.from(record.key), value: Uint8Array.from(record.value) };
}

export function parkedJson(record: ParkedRecord): object {
  const { parkedOffset, parkedAt, reason, attempts, isLeftOut } = record;
  return { parkedOffset, ...recordJson(record), reason, attempts, parkedAt, isLeftOut };
}

async function listTopics(context: Context, client: LogClient): Promise<void> {
  const topics = (await client.listTopics()).filter(({ topic }) => topic.endsWith(SUFFIX));
  const rows = [];
  for (const { topic } of topics) {
    const { partitions } = await client.describeTopic(topic);
    const records = partitions.reduce((sum, each) => sum + each.highWatermark - each.logStartOffset, 0);
    rows.push({ topic, records });
  }
  await context.output.list(
    rows,
    [
      { title: "PARKED TOPIC", value: ({ topic }) => topic, minWidth: 16 },
      {
        title: "RECORDS",
        align: "right",
        value: ({ records }) => count(records),
        format: ({ records }) => (records > 0 ? "red" : "green"),
      },
    ],
    `no group has parked anything (${counted(0, "topic")} named TOPIC.GROUP${SUFFIX})`,
  );
}
