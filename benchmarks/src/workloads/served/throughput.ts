/** Producing to and consuming from a server in another process, warm. */
import type { Durability } from "../../contestants/embedded.ts";
import { SERVED, type ServedContestant, takingPart } from "../../contestants/list.ts";
import { makeCertificate } from "../../processes/certificate.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { type Ratio, ratioOf, type Series } from "../../statistics/spread.ts";
import { bestNodeClient } from "./best-node-client.ts";
import { type Guest, Guests } from "./guests.ts";

/** Records of the run that calibrates the others. */
const FIRST_RECORDS = 2_000;
const USUAL_BYTES = 100;
const MOST_PER_BATCH = 1_000;
/** JetStream's packed batches are messages, which have 1 MiB at most. */
const MOST_BATCH_BYTES = 512 * 1024;
/** Batches of a client that are not acknowledged at the same time. */
const IN_FLIGHT = 4;

interface Shape {
  readonly valueBytes: number;
  readonly durability: Durability;
  readonly hasTls?: boolean;
}

type Figures = Record<"produce" | "consume", number>;

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
  for (const shape of shapes) {
    const { produce, consume } = await contest(shorter, SERVED, shape);
    results.push({ ...resultOf("produce", shape, produce), ratios: [] });
    if (shape.durability === "written") results.push({ ...resultOf("consume", shape, consume), ratios: [] });
  }
  return results;
}

/** LogStore and the bare stream, with TLS on both sides. */
export async function servedTls(settings: Settings): Promise<Result[]> {
  const own = SERVED.filter(({ file }) => !file.startsWith("peers/"));
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

async function contest(
  settings: Settings,
  all: readonly ServedContestant[],
  { valueBytes, durability, hasTls = false }: Shape,
): Promise<Record<keyof Figures, Series[]>> {
  const { directory, rounds, servers } = settings;
  const contestants = takingPart(all, settings);
  const certificate = hasTls ? makeCertificate(directory) : undefined;
  await using guests = await Guests.invite(contestants, { servers, durability, certificate });
  const values = new Map<string, Figures[]>(contestants.map(({ name }) => [name, []]));
  const counts = new Map<string, number>();
  const batch = Math.min(MOST_PER_BATCH, Math.floor(MOST_BATCH_BYTES / valueBytes));
  for (let round = -1; round <= rounds; round++) {
    for (const guest of guests) {
      const { name, isTool } = guest.contestant;
      if (isTool && round <= 0) continue; // each run is a process of its own, which warms up within it
      const count = isTool ? settings.records : (counts.get(name) ?? Math.ceil(FIRST_RECORDS / batch) * batch);
      const topic = `round-${round + 1}-${valueBytes}-${guest.id}`;
      const run = { topic, count, valueBytes, batch, isFirst: round === -1 };
      const figures = await guests.turn(guest, () => measure(guest, run));
      if (figures === undefined) continue;
      if (round <= 0) counts.set(name, countFor(figures.produce, batch, settings));
      else values.get(name)!.push(figures);
    }
  }
  const seriesOf = (figure: keyof Figures): Series[] =>
    contestants.map((contestant) => {
      const found = values.get(contestant.name)!.map((figures) => figures[figure]);
      return guests.seriesOf(contestant, found);
    });
  return { produce: seriesOf("produce"), consume: seriesOf("consume") };
}

/** In whole batches. */
function countFor(perSecond: number, batch: number, { runMs, records }: Settings): number {
  const count = Math.min(records, (perSecond * runMs) / 1_000);
  return Math.max(1, Math.round(count / batch)) * batch;
}

interface Run {
  readonly topic: string;
  readonly count: number;
  readonly valueBytes: number;
  readonly batch: number;
  /** Then the checksums of all values are compared, too. */
  readonly isFirst: boolean;
}

async function measure({ worker }: Guest, { topic, count, valueBytes, batch, isFirst }: Run): Promise<Figures> {
  await worker.ask("createTopic", topic);
  const produceMs = await worker.ask("produce", { topic, count, valueBytes, batch, inFlight: IN_FLIGHT });
  const consumeMs = await worker.ask("consume", { topic, count, valueBytes });
  if (isFirst) await worker.ask("consume", { topic, count, valueBytes, isChecked: true });
  await worker.ask("deleteTopic", topic);
  return { produce: (count / produceMs) * 1_000, consume: (count / consumeMs) * 1_000 };
}

function resultOf(what: keyof Figures, shape: Shape, series: readonly Series[]): Omit<Result, "ratios"> {
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
  const [whole, batches, records] = ["sealed", "sendMany", "send"].map((way) => find(series, `LogStore, ${way}`));
  const [bare, java] = [find(series, "bare gRPC"), find(series, "Kafka, Java tools")];
  const best = bestNodeClient(series, "higher");
  return [
    ratioOf("served.consume.batches.bare", whole, bare, { atLeast: 0.9 }),
    ratioOf("served.consume.batches.best-node-client", batches, best, { atLeast: 5 }),
    ratioOf("served.consume.batches.kafka-java", batches, java, { atLeast: 1 }),
    ratioOf("served.consume.records.bare", records, bare, { atLeast: 0.5 }),
    ratioOf("served.consume.records.best-node-client", records, best, { atLeast: 4 }),
  ];
}

function find(series: readonly Series[], contestant: string): Series | undefined {
  return series.find((one) => one.contestant === contestant);
}
