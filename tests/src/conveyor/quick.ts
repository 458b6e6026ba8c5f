/**
 * Scenarios of a few seconds that cover each place that passes on bytes without copying them:
 * `node src/conveyor/quick.ts NAME…`.
 */
import { conveyor } from "./conveyor.ts";
import { plain, type Scenario } from "./scenario.ts";

const MIB = 1024 * 1024;
const embedded = { ...plain, transport: "embedded" as const };

export const quick = {
  /** Batches longer than what a reader requests, read slowly. */
  "slow readers": { ...plain, way: "records", partitions: 16, shape: "default", totalBytes: 16 * MIB, pace: "slow" },
  "bare readers": { ...plain, way: "consume", partitions: 4, shape: "uneven", totalBytes: 12 * MIB, pace: "slow" },
  "large messages": { ...plain, way: "batches", shape: "long", totalBytes: 30 * MIB, pace: "stopping" },
  /** Chunks are joined when a read waits for more than is available. */
  fetches: { ...plain, way: "fetch", partitions: 2, totalBytes: MIB, isLive: true },
  "embedded readers": { ...embedded, way: "embedded read", shape: "uneven", totalBytes: 12 * MIB },
  "readers at the end": { ...embedded, way: "embedded tail", shape: "small", isLive: true },
  compressed: { ...plain, way: "records", shape: "uneven", totalBytes: 8 * MIB, compression: "zstd" },
  handlers: { ...plain, way: "run", shape: "default", totalBytes: 8 * MIB, pace: "slow" },
  sends: { ...embedded, way: "records", writer: "send", writesFrom: "the readers' place", network: "breaking" },
  "sends to a server": { ...plain, way: "records", writer: "send", writesFrom: "the readers' place", isLive: true },
  appends: { ...embedded, way: "records", writesFrom: "the readers' place", network: "breaking", isLive: true },
  "sends of many": { ...plain, way: "consume", writer: "send many", writesFrom: "the readers' place" },
  produces: { ...plain, way: "consume", writer: "produce", writesFrom: "the readers' place" },
} as const satisfies Record<string, Scenario>;

export type QuickScenario = keyof typeof quick;

if (import.meta.main) {
  const named = process.argv.slice(2);
  for (const name of named.length > 0 ? named : Object.keys(quick)) {
    const scenario = quick[name as QuickScenario];
    if (scenario === undefined) throw new Error(`there is no scenario "${name}"`);
    const { records, ms, problems } = await conveyor(scenario, { timeLimitMs: 20_000 });
    console.log(`${name}: ${records} records, ${Math.round(ms)} ms`);
    if (problems.length === 0) continue;
    console.log(`${name}: ${problems[0]}`);
    process.exit(1);
  }
  process.exit(0);
}
