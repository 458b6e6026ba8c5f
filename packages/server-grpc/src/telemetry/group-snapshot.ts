/**
 * The basis of the metrics of consumer groups: the state of all groups at one time, with limited
 * size.
 */
import { setImmediate } from "node:timers/promises";
import type { GroupApi, GroupDescription, GroupPartition, GroupState, LogApi } from "@logstore/protocol";

/** Limits of a snapshot: a metrics backend charges for every series. */
export interface SnapshotLimits {
  /** Number of groups that are described, by name. The others are only counted. */
  readonly maxGroups: number;
  /**
   * Number of partitions of all groups that are listed individually. A group that does not fit has
   * only sums.
   */
  readonly maxPartitions: number;
  /** Number of parked topics that are listed individually; the others are added up. */
  readonly maxParkedTopics: number;
}

/**
 * OpenTelemetry's SDK keeps 2,000 series per instrument by default: partitions and the sums of
 * groups stay below that.
 */
export const snapshotLimits: SnapshotLimits = { maxGroups: 500, maxPartitions: 1_000, maxParkedTopics: 1_000 };

export interface LagSample {
  /** Undefined in the sums of a group whose partitions are not listed. */
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly lagRecords: number;
  readonly lagMs: number;
}

export interface GroupSample {
  readonly group: string;
  readonly state: GroupState;
  readonly members: number;
  readonly epoch: number;
  readonly lags: readonly LagSample[];
}

export interface ParkedSample {
  /** Undefined in the sum of the topics that are not listed. */
  readonly topic: string | undefined;
  readonly records: number;
}

export interface GroupSnapshot {
  readonly countByState: Readonly<Record<GroupState, number>>;
  readonly groups: readonly GroupSample[];
  readonly parked: readonly ParkedSample[];
}

type SnapshotApi = Pick<GroupApi, "listGroups" | "describeGroup"> & Pick<LogApi, "listTopics" | "describeTopic">;

/**
 * Describes one group after another, so that only one of them is in memory and client calls run in
 * between.
 *
 * @throws the errors of `listGroups` and `listTopics`, for example while topics are being opened
 */
export async function takeSnapshot(
  api: SnapshotApi,
  stopped: AbortSignal,
  limits: SnapshotLimits = snapshotLimits,
): Promise<GroupSnapshot> {
  const summaries = await api.listGroups();
  const countByState = { empty: 0, rebalancing: 0, stable: 0 };
  for (const { state } of summaries) countByState[state]++;
  const groups: GroupSample[] = [];
  let room = limits.maxPartitions;
  for (const { group } of summaries.slice(0, limits.maxGroups)) {
    stopped.throwIfAborted();
    const description = await api.describeGroup(group).catch(() => undefined); // it may have been deleted
    if (description === undefined) continue;
    const isListed = description.partitions.length <= room;
    if (isListed) room -= description.partitions.length;
    groups.push(sampleOf(description, isListed));
  }
  return { countByState, groups, parked: await parkedRecords(api, stopped, limits.maxParkedTopics) };
}

function sampleOf({ group, state, members, groupEpoch, partitions }: GroupDescription, isListed: boolean): GroupSample {
  const lags = isListed
    ? partitions.map(({ topic, partition, lag, lagMs }) => ({ topic, partition, lagRecords: lag, lagMs }))
    : [sumOf(partitions)];
  return { group, state, members: members.length, epoch: groupEpoch, lags };
}

/** The total lag of a group in records, and its largest lag in time. */
function sumOf(partitions: readonly GroupPartition[]): LagSample {
  let [lagRecords, lagMs] = [0, 0];
  for (const partition of partitions) {
    lagRecords += partition.lag;
    lagMs = Math.max(lagMs, partition.lagMs);
  }
  return { topic: undefined, partition: undefined, lagRecords, lagMs };
}

async function parkedRecords(api: SnapshotApi, stopped: AbortSignal, maxTopics: number): Promise<ParkedSample[]> {
  const topics = (await api.listTopics()).filter(({ topic }) => topic.endsWith(".parked"));
  const samples: ParkedSample[] = [];
  let others = 0;
  for (const [i, { topic }] of topics.entries()) {
    stopped.throwIfAborted();
    if (i % 100 === 99) await setImmediate(); // describing may never yield
    const description = await api.describeTopic(topic).catch(() => undefined);
    if (description === undefined) continue;
    let records = 0;
    for (const { logStartOffset, logEndOffset } of description.partitions) records += logEndOffset - logStartOffset;
    if (i < maxTopics) samples.push({ topic, records });
    else others += records;
  }
  if (topics.length > maxTopics) samples.push({ topic: undefined, records: others });
  return samples;
}
