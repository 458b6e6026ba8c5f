/** A sample for `top` and `check`: the topics and groups at one point in time. */
import type { GroupDescription, LogClient, TopicDescription, TopicSummary } from "@logstore/client";
import { eachAtMost } from "./each-at-most.js";

export interface TopicSample {
  readonly topic: string;
  readonly partitions: number;
  /** Records that can be read. */
  readonly records: number;
  /** Sum of the log end offsets: the number of records ever appended. */
  readonly appended: number;
  /** The error of the topic or of its first damaged partition. */
  readonly damage: string | undefined;
}

export interface GroupSample {
  readonly group: string;
  readonly state: string;
  readonly members: number;
  readonly lag: number;
  readonly lagMs: number;
  /** Sum of the committed offsets: the number of records ever processed. */
  readonly committed: number;
  readonly topics: readonly string[];
}

export interface Sample {
  /** ms of a clock that does not jump. */
  readonly at: number;
  readonly topics: readonly TopicSample[];
  readonly groups: readonly GroupSample[];
}

/** Number of concurrent calls. */
const CALLS = 16;

/** Topics and groups that are deleted in the meantime are omitted. */
export async function takeSample(client: LogClient): Promise<Sample> {
  const [topics, groups] = await Promise.all([client.listTopics(), client.listGroups()]);
  const at = performance.now();
  const [described, describedGroups] = await Promise.all([
    eachAtMost(CALLS, topics, (topic) => sampleOfTopic(client, topic)),
    eachAtMost(CALLS, groups, ({ group }) => unlessGone(() => client.describeGroup(group).then(sampleOfGroup))),
  ]);
  return {
    at,
    topics: described.filter((topic) => topic !== undefined),
    groups: describedGroups.filter((group) => group !== undefined),
  };
}

async function sampleOfTopic(client: LogClient, { topic, damage }: TopicSummary): Promise<TopicSample | undefined> {
  if (damage !== undefined) return { topic, partitions: 0, records: 0, appended: 0, damage: damage.message };
  return unlessGone(async () => sampleOf(await client.describeTopic(topic)));
}

function sampleOf({ topic, partitions }: TopicDescription): TopicSample {
  const damaged = partitions.find(({ damage }) => damage !== undefined);
  return {
    topic,
    partitions: partitions.length,
    records: partitions.reduce((sum, each) => sum + each.highWatermark - each.logStartOffset, 0),
    appended: partitions.reduce((sum, each) => sum + each.logEndOffset, 0),
    damage: damaged && `partition ${damaged.partition}: ${damaged.damage!.message}`,
  };
}

function sampleOfGroup({ group, state, members, partitions }: GroupDescription): GroupSample {
  return {
    group,
    state,
    members: members.length,
    lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
    lagMs: partitions.reduce((most, { lagMs }) => Math.max(most, lagMs), 0),
    committed: partitions.reduce((sum, { committedOffset = 0 }) => sum + committedOffset, 0),
    topics: [...new Set(partitions.map(({ topic }) => topic))],
  };
}

async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { code } = Object(error) as { readonly code?: unknown };
    if (code === "UNKNOWN_TOPIC" || code === "UNKNOWN_GROUP") return undefined;
    throw error;
  }
}
