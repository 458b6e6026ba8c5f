import type { LogClient, TopicSummary } from "@logstore/client";
import type { Context } from "../../command/context.js";
import { count } from "../../output/numbers.js";
import { placeName } from "../../place/place.js";

interface Row {
  readonly topic: string;
  readonly partitions: number;
  readonly records?: number | undefined;
  readonly topicId: string;
  readonly damage?: TopicSummary["damage"];
}

export async function run(context: Context, { sizes }: { readonly sizes?: boolean }): Promise<void> {
  const { client, place } = await context.open();
  const topics = await client.listTopics();
  const rows: Row[] = [];
  for (const { topic, topicId, partitionCount, damage } of topics) {
    const records = sizes && damage === undefined ? await recordsOf(client, topic) : undefined;
    rows.push({ topic, partitions: partitionCount, records, topicId, damage });
  }
  await context.output.list(
    rows,
    [
      { title: "TOPIC", value: ({ topic }) => topic, minWidth: 12 },
      {
        title: "PARTITIONS",
        align: "right",
        value: ({ partitions, damage }) => (damage ? undefined : count(partitions)),
      },
      {
        title: "RECORDS",
        align: "right",
        isOptional: true,
        value: ({ records }) => (records === undefined ? undefined : count(records)),
      },
      {
        title: "DAMAGE",
        isOptional: true,
        value: ({ damage }) => (damage === undefined ? undefined : `${damage.code}: ${damage.message}`),
        minWidth: 10,
        format: () => "red",
      },
    ],
    `there are no topics at ${placeName(place)}; logstore topics create NAME makes one`,
  );
}

/** Number of offsets in the log, including those of deleted ranges within it. */
async function recordsOf(client: LogClient, topic: string): Promise<number> {
  const { partitions } = await client.describeTopic(topic);
  return partitions.reduce((sum, { logStartOffset, highWatermark }) => sum + highWatermark - logStartOffset, 0);
}
