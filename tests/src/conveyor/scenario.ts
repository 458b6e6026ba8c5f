/** The parameters of one run of the conveyor, drawn by a seed or given explicitly. */
import type { WriterName } from "./writers.ts";

export const SHAPES = {
  /** One record per batch. */
  single: { batchRecords: [1], valueBytes: 100 },
  small: { batchRecords: [20], valueBytes: 100 },
  /** As a producer with default options makes them: slightly more than 256 KiB. */
  default: { batchRecords: [261], valueBytes: 1_000 },
  uneven: { batchRecords: [1, 300, 17, 2_000], valueBytes: 700 },
  long: { batchRecords: [1], valueBytes: 5_000_000 },
  /** Nearly the largest batch that the defaults allow. */
  largest: { batchRecords: [1], valueBytes: 16_700_000 },
} as const;

export type Shape = keyof typeof SHAPES;
export type Pace = "fast" | "slow" | "stopping";
export type NetworkKind = "near" | "distant" | "lossy" | "breaking";
export type Transport = "embedded" | "plain" | "TLS";

export interface Scenario {
  readonly seed: number;
  readonly way: string;
  readonly transport: Transport;
  readonly network: NetworkKind;
  readonly pace: Pace;
  readonly partitions: number;
  readonly shape: Shape;
  readonly writer: WriterName;
  /** Whether records are appended over the same path as they are read, or to the log directly. */
  readonly writesFrom: "beside" | "the readers' place";
  /** Approximate size of all values together, in bytes. */
  readonly totalBytes: number;
  readonly compression: "none" | "gzip" | "zstd";
  /** Number of readers, or of members of the group. */
  readonly readers: number;
  readonly sendBudgetBytes: number | undefined;
  /** Whether half of the records are appended while the others are read. */
  readonly isLive: boolean;
  /** Whether segments roll and records are deleted during the run. */
  readonly isDeleting: boolean;
}

const MIB = 1024 * 1024;
/** A run keeps its records in memory; for tiny batches the limit is time instead. */
const MAX_BATCHES = 4_000;

/** For each partition, the number of records in each of its batches. */
export function batchesOf({ shape, partitions, totalBytes }: Scenario): number[][] {
  const { batchRecords, valueBytes } = SHAPES[shape];
  const lists: number[][] = Array.from({ length: partitions }, () => []);
  let bytes = 0;
  for (let i = 0; (bytes < totalBytes && i < MAX_BATCHES) || i < partitions; i++) {
    const records = batchRecords[Math.floor(i / partitions) % batchRecords.length]!;
    lists[i % partitions]!.push(records);
    bytes += records * valueBytes;
  }
  return lists;
}

export function describe(scenario: Scenario): string {
  const { way, transport, network, pace, partitions, shape, totalBytes, compression, readers } = scenario;
  const budget = scenario.sendBudgetBytes;
  const words = [way, transport, network, pace, `${partitions} × ${shape}`, `${Math.ceil(totalBytes / MIB)} MiB`];
  if (compression !== "none") words.push(compression);
  if (readers > 1) words.push(`${readers} readers`);
  if (budget !== undefined) words.push(`budget ${budget / MIB} MiB`);
  if (scenario.writer !== "append" || scenario.writesFrom !== "beside")
    words.push(`by ${scenario.writer} from ${scenario.writesFrom}`);
  if (scenario.isLive) words.push("live");
  if (scenario.isDeleting) words.push("deleting");
  return words.join(", ");
}

export const plain: Omit<Scenario, "way"> = {
  seed: 1,
  transport: "plain",
  network: "near",
  pace: "fast",
  partitions: 4,
  shape: "small",
  writer: "append",
  writesFrom: "beside",
  totalBytes: 2 * MIB,
  compression: "none",
  readers: 1,
  sendBudgetBytes: undefined,
  isLive: false,
  isDeleting: false,
};

/** Draws a scenario from a seed. */
export function drawScenario(seed: number, ways: readonly string[], random: () => number, scale = 1): Scenario {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const way = pick(ways);
  const isEmbedded = way.startsWith("embedded") || way === "follower";
  const transport = isEmbedded ? "embedded" : pick(["plain", "plain", "TLS", "embedded"] as const);
  const network: NetworkKind =
    transport === "embedded"
      ? pick(["near", "near", "breaking"])
      : pick(["near", "near", "distant", "lossy", "breaking"] as const);
  const shape = pick(Object.keys(SHAPES) as Shape[]);
  const partitions = pick(
    shape === "largest" ? [1, 2, 4] : shape === "long" ? [1, 4, 12] : [1, 2, 7, 16, 40, 120, 200],
  );
  const isSlow = network !== "near";
  const isParked = way === "parked";
  return {
    seed,
    way,
    transport,
    network,
    pace: pick(["fast", "fast", "slow", "stopping"] as const),
    partitions: isParked ? Math.min(partitions, 16) : partitions,
    shape: isParked && (shape === "largest" || shape === "long") ? "default" : shape,
    // Parking a record takes several calls.
    totalBytes:
      (isParked ? 2 * MIB : pick(isSlow ? [1 * MIB, 8 * MIB, 24 * MIB] : [2 * MIB, 16 * MIB, 48 * MIB])) * scale,
    compression: pick(["none", "none", "none", "zstd", "gzip"] as const),
    readers: pick([1, 1, 2, 3]),
    sendBudgetBytes: pick([undefined, undefined, 1 * MIB, 4 * MIB, 24 * MIB]),
    isLive: random() < 0.35,
    isDeleting: !isParked && random() < 0.25,
    writer: pick(["append", "send", "send many", "produce"] as const),
    writesFrom: pick(["beside", "the readers' place"] as const),
  };
}
