/** All workloads by name, in the order in which they run. */
import type { Settings } from "../settings.ts";
import type { Result } from "../statistics/result.ts";
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
}

export const WORKLOADS: Record<string, Workload> = {
  embedded: { run: embeddedThroughput, isQuick: true, comparesBuilds: true },
  "embedded-flushed": { run: embeddedFlushed, isQuick: true, comparesBuilds: true },
  "embedded-singles": { run: embeddedSingles, comparesBuilds: true },
  "embedded-uncached": { run: embeddedUncached },
  "embedded-cold": { run: embeddedCold },
  "embedded-shapes": { run: embeddedShapes },
  "flushed-latency": { run: flushedLatency },
  codec: { run: codecAlone },
  served: { run: servedThroughput, isQuick: true, isServed: true, comparesBuilds: true },
  "served-cold": { run: servedCold, isQuick: true, isServed: true, comparesBuilds: true },
  "served-latency": { run: servedLatency, isQuick: true, isServed: true, comparesBuilds: true },
  "served-loads": { run: latencyByLoad, isServed: true },
  "served-shapes": { run: servedShapes, isServed: true },
  "served-tls": { run: servedTls, isQuick: true, isServed: true, comparesBuilds: true },
  "served-memory": { run: servedMemory, isQuick: true },
  "served-replay": { run: besideReplay },
  "idle-tails": { run: idleTails },
  groups: { run: consumerGroups },
  large: { run: large },
  partitions: { run: manyPartitions },
  endurance: { run: endurance, isOptional: true },
};
