/** Producing to and consuming from a server in another process, warm. */
import { SERVED } from "../../contestants/list.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { type Ratio, ratioOf, type Series } from "../../statistics/spread.ts";
import { bestNodeClient } from "./best-node-client.ts";
import { contest, type Outcome, type Shape } from "./contest.ts";

const USUAL_BYTES = 100;

export async function servedThroughput(settings: Settings): Promise<Result[]> {
  const shape: Shape = { valueBytes: USUAL_BYTES, durability: "written" };
  const { produce, consume } = await contest(settings, SERVED, shape);
  return [
    { ...resultOf("produce", shape, produce), ratios: produceRatios(produce) },
    { ...resultOf("consume", shape, consume), ratios: consumeRatios(consume) },
  ];
}

/** Larger values, and acknowledgements that wait for the disk. */
export async function servedShapes(settings: Settings): Promise<Result[]> {
  const shapes: Shape[] = [
    { valueBytes: 1_024, durability: "written" },
    { valueBytes: 10_240, durability: "written" },
    { valueBytes: USUAL_BYTES, durability: "flushed" },
  ];
  const results: Result[] = [];
  const shorter = { ...settings, runMs: settings.runMs / 3 };
  const clients = SERVED.filter(({ isTool }) => isTool !== true);
  for (const shape of shapes) {
    const { produce, consume } = await contest(shorter, clients, shape);
    results.push({ ...resultOf("produce", shape, produce), ratios: [] });
    if (shape.durability === "written") results.push({ ...resultOf("consume", shape, consume), ratios: [] });
  }
  return results;
}

/** LogStore and the bare stream, with TLS on both sides. */
export async function servedTls(settings: Settings): Promise<Result[]> {
  const own = SERVED.filter(({ name, file }) => {
    if (settings.isQuick) return name === "bare gRPC" || name === "LogStore, sealed"; // who has a goal
    return !file.startsWith("peers/");
  });
  const shape: Shape = { valueBytes: USUAL_BYTES, durability: "written", hasTls: true };
  const { produce, consume } = await contest(settings, own, shape);
  const [sealed, bare] = [find(consume, "LogStore, sealed"), find(consume, "bare gRPC")];
  return [
    { ...resultOf("produce", shape, produce), ratios: [] },
    {
      ...resultOf("consume", shape, consume),
      ratios: [ratioOf("served.tls.consume.batches.bare", sealed, bare, { atLeast: 0.9 })],
    },
  ];
}

function resultOf(what: keyof Outcome, shape: Shape, series: readonly Series[]): Omit<Result, "ratios"> {
  const { valueBytes, durability, hasTls } = shape;
  const how = [`${valueBytes} B`, ...(what === "produce" ? [durability] : []), ...(hasTls ? ["TLS"] : [])].join(", ");
  progress(`served: ${what}, ${how}: done`);
  const name = ["served", what, valueBytes, durability, ...(hasTls ? ["tls"] : [])].join(".");
  return { name, title: `${what === "produce" ? "Produce" : "Consume"}, ${how}`, unit: "records/s", series };
}

function produceRatios(series: readonly Series[]): Ratio[] {
  const many = find(series, "LogStore, sendMany");
  const bare = find(series, "bare gRPC");
  const ways = [
    ["sealed", 0.8],
    ["send", 0.35],
    ["sendMany", 0.5],
  ] as const;
  return [
    ...ways.map(([way, atLeast]) =>
      ratioOf(`served.produce.${way}.bare`, find(series, `LogStore, ${way}`), bare, { atLeast }),
    ),
    ratioOf("served.produce.sendMany.best-node-client", many, bestNodeClient(series, "higher"), { atLeast: 8 }),
    ratioOf("served.produce.sendMany.kafka-java", many, find(series, "Kafka, Java tools"), { atLeast: 1 }),
  ];
}

/** Records are read by the contestant that sends one by one, batches by the others. */
function consumeRatios(series: readonly Series[]): Ratio[] {
  const [whole, batches, records, chunks] = ["sealed", "sendMany", "send", "chunks"].map((way) =>
    find(series, `LogStore, ${way}`),
  );
  const [bare, java] = [find(series, "bare gRPC"), find(series, "Kafka, Java tools")];
  const best = bestNodeClient(series, "higher");
  return [
    ratioOf("served.consume.batches.bare", whole, bare, { atLeast: 0.9 }),
    ratioOf("served.consume.batches.best-node-client", batches, best, { atLeast: 5 }),
    ratioOf("served.consume.batches.kafka-java", batches, java, { atLeast: 1 }),
    ratioOf("served.consume.records.bare", records, bare, { atLeast: 0.5 }),
    ratioOf("served.consume.records.best-node-client", records, best, { atLeast: 4 }),
    ratioOf("served.consume.chunks.bare", chunks, bare),
  ];
}

function find(series: readonly Series[], contestant: string): Series | undefined {
  return series.find((one) => one.contestant === contestant);
}
