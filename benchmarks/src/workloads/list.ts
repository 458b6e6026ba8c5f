/** All workloads by name, in the order in which they run. */
import type { Settings } from "../settings.ts";
import type { Result } from "../statistics/result.ts";
import { cluster } from "./cluster.ts";
import { codecAlone } from "./codec.ts";
import { embeddedCold } from "./embedded/cold.ts";
import { flushedLatency } from "./embedded/flushed-latency.ts";
import { embeddedFlushed, embeddedSingles } from "./embedded/singles.ts";
import { embeddedShapes, embeddedThroughput } from "./embedded/throughput.ts";
import { embeddedUncached } from "./embedded/uncached.ts";
import { endurance } from "./endurance.ts";
import { consumerGroups } from "./groups.ts";
import { large } from "./large.ts";
import { manyPartitions } from "./partitions.ts";
import { servedCold } from "./served/cold.ts";
import { idleTails } from "./served/idle-tails.ts";
import { latencyByLoad, servedLatency } from "./served/latency.ts";
import { servedMemory } from "./served/memory.ts";
import { besideReplay } from "./served/replay.ts";
import { servedShapes, servedThroughput, servedTls } from "./served/throughput.ts";

export interface Workload {
  readonly run: (settings: Settings) => Promise<Result[]>;
  /** Part of `bench:quick`: it has goals. */
  readonly isQuick?: boolean;
  /** Runs only when it is named. */
  readonly isOptional?: boolean;
  /** Uses the shared servers. */
  readonly isServed?: boolean;
  /** Can compare two builds of LogStore. */
  readonly comparesBuilds?: boolean;
  /** How long it takes about, on two cores, with the usual settings: in full, and quick. */
  readonly seconds: readonly [full: number, quick?: number];
}

export const WORKLOADS: Record<string, Workload> = {
  embedded: { run: embeddedThroughput, isQuick: true, comparesBuilds: true, seconds: [130, 35] },
  "embedded-flushed": { run: embeddedFlushed, isQuick: true, comparesBuilds: true, seconds: [50, 5] },
  "embedded-singles": { run: embeddedSingles, comparesBuilds: true, seconds: [45] },
  "embedded-uncached": { run: embeddedUncached, seconds: [60] },
  "embedded-cold": { run: embeddedCold, seconds: [95] },
  "embedded-shapes": { run: embeddedShapes, seconds: [190] },
  "flushed-latency": { run: flushedLatency, seconds: [20] },
  codec: { run: codecAlone, seconds: [30] },
  served: { run: servedThroughput, isQuick: true, isServed: true, comparesBuilds: true, seconds: [265, 85] },
  "served-cold": { run: servedCold, isQuick: true, isServed: true, comparesBuilds: true, seconds: [90, 40] },
  "served-latency": { run: servedLatency, isQuick: true, isServed: true, comparesBuilds: true, seconds: [215, 40] },
  "served-loads": { run: latencyByLoad, isServed: true, seconds: [210] },
  "served-shapes": { run: servedShapes, isServed: true, seconds: [200] },
  "served-tls": { run: servedTls, isQuick: true, isServed: true, comparesBuilds: true, seconds: [70, 10] },
  "served-memory": { run: servedMemory, isQuick: true, seconds: [130, 15] },
  "served-replay": { run: besideReplay, seconds: [45] },
  "idle-tails": { run: idleTails, seconds: [30] },
  cluster: { run: cluster, seconds: [170] },
  groups: { run: consumerGroups, seconds: [90] },
  large: { run: large, seconds: [230] },
  partitions: { run: manyPartitions, seconds: [40] },
  endurance: { run: endurance, isOptional: true, seconds: [1_800] },
};

/** How long a workload takes about. */
export function expectedSeconds(name: string, { isQuick, enduranceMinutes }: Settings): number {
  const { seconds } = WORKLOADS[name]!;
  if (name === "endurance") return enduranceMinutes * 60;
  return isQuick ? (seconds[1] ?? seconds[0]) : seconds[0];
}
