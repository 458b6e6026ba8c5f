/** All workloads by name, in the order in which they run. */
import type { Settings } from "../settings.ts";
import type { Result } from "../statistics/result.ts";
import { embeddedFlushed } from "./embedded/flushed.ts";
import { flushedLatency } from "./embedded/flushed-latency.ts";
import { embeddedShapes, embeddedThroughput } from "./embedded/throughput.ts";
import { consumerGroups } from "./groups.ts";
import { large } from "./large.ts";
import { manyPartitions } from "./partitions.ts";
import { servedCold } from "./served/cold.ts";
import { latencyByLoad, servedLatency } from "./served/latency.ts";
import { servedMemory } from "./served/memory.ts";
import { servedFlushed, servedThroughput, servedTls } from "./served/throughput.ts";
import { streams } from "./streams.ts";

export interface Workload {
  readonly run: (settings: Settings) => Promise<Result[]>;
  /** Part of `bench:quick`. */
  readonly isQuick?: boolean;
  /** Runs only when it is named. */
  readonly isOptional?: boolean;
}

export const WORKLOADS: Record<string, Workload> = {
  embedded: { run: embeddedThroughput, isQuick: true },
  "embedded-flushed": { run: embeddedFlushed, isQuick: true },
  served: { run: servedThroughput, isQuick: true },
  "served-tls": { run: servedTls, isQuick: true },
  "served-cold": { run: servedCold, isQuick: true },
  "served-latency": { run: servedLatency, isQuick: true },
  "served-memory": { run: servedMemory, isQuick: true },
  "served-shares": { run: latencyByLoad },
  "served-flushed": { run: servedFlushed },
  "embedded-shapes": { run: embeddedShapes },
  "flushed-latency": { run: flushedLatency },
  streams: { run: streams },
  groups: { run: consumerGroups },
  large: { run: large },
  partitions: { run: manyPartitions },
};
