/** Producing to and consuming from a server in another process, warm. */
import type { Durability } from "../../contestants/embedded.ts";
import { beside, SERVED, type ServedContestant } from "../../contestants/list.ts";
import { makeCertificate } from "../../processes/certificate.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { type Goal, type Ratio, ratioOf, type Series } from "../../statistics/spread.ts";
import { bestNodeClient } from "./best-node-client.ts";
import { type Guest, Servers } from "./servers.ts";

/** Records of the run that calibrates the others. */
const FIRST_RECORDS = 2_000;
const VALUE_BYTES = 100;
const BATCH = 1_000;
/** Batches of a client that are not acknowledged at the same time. */
const IN_FLIGHT = 4;

interface Figures {
  readonly produce: number;
  readonly consume: number;
}

export async function servedThroughput(settings: Settings): Promise<Result[]> {
  const { produce, consume } = await contest(settings, beside(SERVED, settings.beside), { durability: "written" });
  return [
    { ...resultOf("produce", "written", produce), ratios: produceRatios(produce) },
    { ...resultOf("consume", "written", consume), ratios: consumeRatios("served", consume) },
  ];
}

export async function servedFlushed(settings: Settings): Promise<Result[]> {
  const { produce } = await contest(settings, beside(SERVED, settings.beside), { durability: "flushed" });
  return [{ ...resultOf("produce", "flushed", produce), ratios: [] }];
}

/** LogStore and the bare stream, with TLS on both sides. */
export async function servedTls(settings: Settings): Promise<Result[]> {
  const ours = SERVED.filter(({ isNodeClient, name }) => isNodeClient !== true && !name.startsWith("Kafka"));
  const { produce, consume } = await contest(settings, ours, { durability: "written", hasTls: true });
  const bare = find(consume, "bare gRPC");
  return [
    { ...resultOf("produce", "written.tls", produce), ratios: [] },
    {
      ...resultOf("consume", "written.tls", consume),
      ratios: [ratioOf("tls.consume.batches.bare", find(consume, "LogStore, sealed"), bare, { atLeast: 0.9 })],
    },
  ];
}

async function contest(
  settings: Settings,
  contestants: readonly ServedContestant[],
  { durability, hasTls = false }: { readonly durability: Durability; readonly hasTls?: boolean },
): Promise<Record<keyof Figures, Series[]>> {
  const { directory, rounds } = settings;
  const certificate = hasTls ? makeCertificate(directory) : undefined;
  await using servers = await Servers.start({ contestants, directory, durability, certificate });
  const values = new Map<string, Figures[]>();
  const counts = new Map<string, number>();
  for (let round = -1; round <= rounds; round++) {
    for (const guest of [...servers.guests]) {
      const { name } = guest.contestant;
      const count = counts.get(name) ?? FIRST_RECORDS;
      const topic = `round-${round + 1}-${name.replaceAll(/[^a-zA-Z]/g, "")}`;
      const figures = await measure(guest, topic, count).catch((error) => servers.exclude(guest, error));
      if (figures === undefined) continue;
      if (round <= 0) counts.set(name, countFor(guest.contestant, figures.produce, settings));
      else values.set(name, [...(values.get(name) ?? []), figures]);
    }
  }
  const seriesOf = (figure: keyof Figures): Series[] =>
    contestants.map((contestant) => {
      const found = values.get(contestant.name) ?? [];
      return servers.seriesOf(
        contestant,
        found.map((figures) => figures[figure]),
      );
    });
  return { produce: seriesOf("produce"), consume: seriesOf("consume") };
}

/** In whole batches. */
function countFor({ isTool }: ServedContestant, perSecond: number, { runMs, records }: Settings): number {
  if (isTool) return records; // a process of its own for each run, which warms up within it
  const count = Math.min(records, (perSecond * runMs) / 1_000);
  return Math.max(1, Math.round(count / BATCH)) * BATCH;
}

async function measure({ worker }: Guest, topic: string, count: number): Promise<Figures> {
  await worker.ask("createTopic", topic);
  const source = { topic, count, valueBytes: VALUE_BYTES, batch: BATCH, inFlight: IN_FLIGHT };
  const produceMs = await worker.ask("produce", source);
  const consumeMs = await worker.ask("consume", { topic, count, valueBytes: VALUE_BYTES });
  if (count === FIRST_RECORDS) {
    await worker.ask("consume", { topic, count, valueBytes: VALUE_BYTES, isChecked: true });
  }
  await worker.ask("deleteTopic", topic);
  return { produce: (count / produceMs) * 1_000, consume: (count / consumeMs) * 1_000 };
}

function resultOf(what: "produce" | "consume", how: string, series: readonly Series[]): Omit<Result, "ratios"> {
  progress(`served: ${what}, ${how}: done`);
  const verb = what === "produce" ? "Produce" : "Consume";
  const title = `${verb}, ${VALUE_BYTES} B, ${how.replace(".tls", ", TLS")}`;
  return { name: `served.${what}.${how}`, title, unit: "records/s", series };
}

function produceRatios(series: readonly Series[]): Ratio[] {
  const many = find(series, "LogStore, sendMany");
  return [
    ...againstBare("served.produce", series, { sealed: 0.8, send: 0.35, sendMany: 0.5 }),
    ratioOf("served.produce.best-node-client", many, bestNodeClient(series, "higher"), { atLeast: 8 }),
    ratioOf("served.produce.kafka-java", many, find(series, "Kafka, Java tools"), { atLeast: 1 }),
  ];
}

function consumeRatios(prefix: string, series: readonly Series[]): Ratio[] {
  const best = bestNodeClient(series, "higher");
  const batches = find(series, "LogStore, sendMany");
  const bare = find(series, "bare gRPC");
  return [
    ratioOf(`${prefix}.consume.batches.bare`, find(series, "LogStore, sealed"), bare, { atLeast: 0.9 }),
    ratioOf(`${prefix}.consume.records.bare`, find(series, "LogStore, send"), bare, { atLeast: 0.5 }),
    ratioOf(`${prefix}.consume.batches.best-node-client`, batches, best, { atLeast: 5 }),
    ratioOf(`${prefix}.consume.records.best-node-client`, find(series, "LogStore, send"), best, { atLeast: 4 }),
    ratioOf(`${prefix}.consume.batches.kafka-java`, batches, find(series, "Kafka, Java tools"), { atLeast: 1 }),
  ];
}

function againstBare(prefix: string, series: readonly Series[], goals: Record<string, number>): Ratio[] {
  const bare = find(series, "bare gRPC");
  return Object.entries(goals).map(([way, atLeast]) => {
    const goal: Goal = { atLeast };
    return ratioOf(`${prefix}.${way}.bare`, find(series, `LogStore, ${way}`), bare, goal);
  });
}

function find(series: readonly Series[], contestant: string): Series | undefined {
  return series.find((one) => one.contestant === contestant);
}
