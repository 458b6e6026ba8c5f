/**
 * Every way to read and to write, with batch sizes, partition counts, paces, networks and budgets
 * that have caused trouble or may do so. The content of each record is a function of its position,
 * so that an altered, skipped or repeated record is detected whatever its checksum says.
 */
import { expect, test } from "vitest";
import { seededRandom } from "./bytes.ts";
import { conveyor } from "./conveyor/conveyor.ts";
import { describe, drawScenario, plain, type Scenario } from "./conveyor/scenario.ts";
import { ways } from "./conveyor/ways.ts";
import { type WriterName, writers } from "./conveyor/writers.ts";

const MIB = 1024 * 1024;
const SEED = Number(process.env["CONVEYOR_SEED"] ?? "1");
const DRAWN = Number(process.env["CONVEYOR_SCENARIOS"] ?? "12");

const served = ["consume", "fetch", "records", "batches", "records until latest", "group", "group batches", "run"];
const embedded = ["embedded read", "embedded tail", "embedded batches", "follower"];

const written: Scenario[] = [
  // A producer's default batches, for a consumer that requests less than one at a time.
  ...served.map((way) => ({ ...plain, way, partitions: 40, shape: "default" as const, totalBytes: 16 * MIB })),
  // Batches longer than any read, for a slow reader.
  ...served.map((way) => ({
    ...plain,
    way,
    shape: "long" as const,
    totalBytes: 40 * MIB,
    pace: "stopping" as const,
  })),
  ...["records", "group", "fetch"].map((way) => ({
    ...plain,
    way,
    partitions: 16,
    shape: "default" as const,
    totalBytes: 16 * MIB,
    network: "distant" as const,
  })),
  ...["records", "batches", "consume", "fetch", "run"].map((way) => ({
    ...plain,
    way,
    partitions: 8,
    shape: "uneven" as const,
    totalBytes: 16 * MIB,
    sendBudgetBytes: MIB,
    pace: "slow" as const,
  })),
  ...["records", "group", "consume"].map((way) => ({
    ...plain,
    way,
    shape: "uneven" as const,
    totalBytes: 8 * MIB,
    network: "breaking" as const,
  })),
  ...[...embedded, "records", "consume", "group", "run"].map((way) => ({
    ...plain,
    way,
    transport: embedded.includes(way) ? ("embedded" as const) : ("plain" as const),
    shape: "uneven" as const,
    totalBytes: 12 * MIB,
    isLive: true,
    isDeleting: true,
  })),
  ...["records", "group"].map((way) => ({
    ...plain,
    way,
    transport: "TLS" as const,
    shape: "default" as const,
    totalBytes: 12 * MIB,
    partitions: 40,
    compression: "zstd" as const,
    pace: "slow" as const,
  })),
  ...["records", "run"].map((way) => ({ ...plain, way, partitions: 200, shape: "small" as const, isLive: true })),
  { ...plain, way: "parked", readers: 2, totalBytes: MIB },
  // Every way to write, over a network that loses responses.
  ...Object.keys(writers).flatMap((writer) =>
    (["embedded", "plain"] as const).map((transport) => ({
      ...plain,
      transport,
      way: "records",
      writer: writer as WriterName,
      writesFrom: "the readers' place" as const,
      network: "breaking" as const,
      totalBytes: MIB,
      isLive: true,
    })),
  ),
];

const drawn = Array.from({ length: DRAWN }, (_, i) => {
  const seed = SEED * 1_000 + i;
  return drawScenario(seed, Object.keys(ways), seededRandom(seed), 0.3);
});

const total = { scenarios: 0, records: 0, bytes: 0, ms: 0 };

const named = [...written, ...drawn].map(
  (scenario) => [`${describe(scenario)} (seed ${scenario.seed})`, scenario] as const,
);

test.for(named)("%s", async ([, scenario]) => {
  const { records, bytes, ms, problems } = await conveyor(scenario);
  total.scenarios++;
  total.records += records;
  total.bytes += bytes;
  total.ms += ms;
  expect(problems).toEqual([]);
});

test("every way was covered", () => {
  const tried = new Set([...written, ...drawn].map(({ way }) => way));
  expect([...Object.keys(ways)].filter((way) => !tried.has(way))).toEqual([]);
  const { scenarios, records, bytes, ms } = total;
  console.log(
    `conveyor: ${scenarios} scenarios, ${records} records (${Math.round(bytes / 1e6)} MB) checked in ${Math.round(ms / 1000)} s`,
  );
});
