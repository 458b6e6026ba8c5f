/** The changes that a reset would make. */
import type { GroupDescription, LogClient, PartitionOffset, TopicPartition } from "@logstore/client";
import { UsageError } from "../../errors/cli-error.js";
import type { LogPosition } from "../../values/position.js";

export type Target = LogPosition | { readonly type: "shift"; readonly records: number };

export interface PlannedReset {
  readonly topic: string;
  readonly topicId: string | undefined;
  readonly partition: number;
  /** Undefined if nothing has been committed. */
  readonly from: number | undefined;
  readonly to: number;
  readonly logEndOffset: number;
}

export interface Selection {
  readonly topics?: readonly string[] | undefined;
  readonly partitions?: readonly number[] | undefined;
}

/** Looks up every new offset, within the bounds of its partition. @throws UsageError */
export async function planReset(
  client: LogClient,
  description: GroupDescription,
  selection: Selection,
  target: Target,
): Promise<PlannedReset[]> {
  const chosen = await choose(client, description, selection);
  if (chosen.length === 0) {
    throw new UsageError(`group ${description.group} has no partitions yet`, { hint: "name some with --topic" });
  }
  const committed = new Map(
    description.partitions.map((each) => [`${each.topic}/${each.partition}`, each.committedOffset]),
  );
  const plans: PlannedReset[] = [];
  for (const [topic, partitions] of Map.groupBy(chosen, (each) => each.topic)) {
    const position = question(target);
    const offsets = await client.listOffsets(
      topic,
      partitions.map(({ partition }) => ({ partition, position })),
    );
    for (const found of offsets) {
      const from = committed.get(`${topic}/${found.partition}`);
      const { topicId, partition, highWatermark: logEndOffset } = found;
      plans.push({ topic, topicId, partition, from, to: newOffset(target, from, found), logEndOffset });
    }
  }
  return plans;
}

/** Returns the partitions of the group, or all partitions of the topics given. */
async function choose(
  client: LogClient,
  { partitions }: GroupDescription,
  { topics, partitions: only }: Selection,
): Promise<TopicPartition[]> {
  const isChosen = ({ partition }: TopicPartition) => only === undefined || only.includes(partition);
  if (topics === undefined) return partitions.filter(isChosen);
  const described = await Promise.all([...new Set(topics)].map((topic) => client.describeTopic(topic)));
  return described.flatMap((each) => {
    const missing = only?.find((partition) => partition >= each.partitions.length);
    if (missing !== undefined) throw new UsageError(`topic ${each.topic} has no partition ${missing}`);
    return each.partitions.map(({ partition }) => ({ topic: each.topic, partition })).filter(isChosen);
  });
}

function question(target: Target) {
  if (target.type === "time") return { time: target.time };
  return target.type === "edge" ? target.edge : "latest";
}

function newOffset(target: Target, from: number | undefined, found: PartitionOffset): number {
  const { logStartOffset, highWatermark, offset } = found;
  const wanted = () => {
    if (target.type === "offset") return target.offset;
    if (target.type === "beforeEnd") return highWatermark - target.records;
    if (target.type === "shift") return (from ?? logStartOffset) + target.records;
    return offset;
  };
  return Math.min(Math.max(wanted(), logStartOffset), highWatermark);
}
