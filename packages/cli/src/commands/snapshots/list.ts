import type { SnapshotDescription } from "@logstore/client";
import type { Context } from "../../command/context.js";
import { bytes, count, time } from "../../output/numbers.js";
import { placeName } from "../../place/place.js";

export function recordsOf({ partitions }: SnapshotDescription): number {
  return partitions.reduce((sum, each) => sum + each.logEndOffset - each.logStartOffset, 0);
}

export async function run(context: Context, _options: object, topic: string | undefined): Promise<void> {
  const { client, place } = await context.open();
  await context.output.list(
    await client.listSnapshots(topic),
    [
      { title: "TOPIC", value: ({ topic }) => topic || undefined, minWidth: 8 },
      { title: "SNAPSHOT", value: ({ snapshot }) => snapshot || undefined, minWidth: 8 },
      {
        title: "CREATED",
        value: ({ createdAt, damage }) => (damage ? undefined : time(createdAt)),
        format: () => "blue",
      },
      {
        title: "PARTITIONS",
        align: "right",
        value: ({ partitions, damage }) => (damage ? undefined : count(partitions.length)),
      },
      { title: "RECORDS", align: "right", value: (each) => (each.damage ? undefined : count(recordsOf(each))) },
      { title: "SIZE", align: "right", value: ({ sizeBytes, damage }) => (damage ? undefined : bytes(sizeBytes)) },
      {
        title: "DAMAGE",
        isOptional: true,
        value: ({ damage }) => (damage === undefined ? undefined : `${damage.code}: ${damage.message}`),
        minWidth: 10,
        format: () => "red",
      },
    ],
    `there are no snapshots at ${placeName(place)}`,
  );
}
