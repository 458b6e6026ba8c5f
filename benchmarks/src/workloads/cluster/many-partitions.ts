/** Eight partitions that are produced to at the same time. */
import { CLUSTER, takingPart } from "../../contestants/list.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { bestOf, ratioOf } from "../../statistics/spread.ts";
import { type Guest, Guests } from "../served/guests.ts";

const PARTITIONS = 8;
const VALUE_BYTES = 100;
const BATCH = 1_000;
const IN_FLIGHT = 4;
const FIRST_RECORDS = 4_000;
const WARM_UPS = 3;
const WHO = ["LogStore, sealed", "LogStore, in process", "JetStream, one in flight", "JetStream, packed"];

export async function eightPartitions(settings: Settings): Promise<Result> {
  const { servers, rounds, runMs, records } = settings;
  const contestants = takingPart(CLUSTER, settings).filter(({ name }) => WHO.includes(name));
  await using guests = await Guests.invite(contestants, { servers, durability: "replicated" });
  const rates = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  const counts = new Map<Guest, number>();
  for (let round = 1 - WARM_UPS; round <= rounds; round++) {
    for (const guest of guests) {
      const count = counts.get(guest) ?? FIRST_RECORDS;
      const rate = await guests.turn(guest, () => produce(guest, `${guest.id}-${round + WARM_UPS}`, count));
      if (rate === undefined) continue;
      if (round > 0) rates.get(guest.contestant.name)!.push(rate);
      const each = Math.min(records, (rate * runMs) / 1_000) / PARTITIONS;
      counts.set(guest, Math.max(1, Math.round(each / BATCH)) * BATCH);
    }
  }
  const series = contestants.map((one) => guests.seriesOf(one, rates.get(one.name)!));
  const find = (name: string) => series.find(({ contestant }) => contestant === name);
  const bare = bestOf(
    series.filter(({ contestant }) => contestant.startsWith("JetStream")),
    "higher",
  );
  return {
    name: "cluster.produce.partitions",
    title: `Cluster: produce to ${PARTITIONS} partitions, ${VALUE_BYTES} B, replicated three times`,
    unit: "records/s",
    series,
    ratios: [
      ratioOf("cluster.produce.partitions.best", find("LogStore, sealed"), bare, { atLeast: 0.8 }),
      ratioOf("cluster.produce.partitions.in-process", find("LogStore, in process"), bare),
    ],
  };
}

/** Records a second, of all partitions together. */
async function produce({ worker }: Guest, name: string, count: number): Promise<number> {
  const topics = Array.from({ length: PARTITIONS }, (_, i) => `${name}-part-${i}`);
  for (const topic of topics) await worker.ask("createTopic", topic);
  const values = { count, valueBytes: VALUE_BYTES, batch: BATCH, inFlight: IN_FLIGHT };
  // The owner takes a partition over when it first writes to it.
  await worker.ask("produceTogether", { topics, ...values, count: BATCH });
  const ms = await worker.ask("produceTogether", { topics, ...values });
  for (const topic of topics) await worker.ask("deleteTopic", topic);
  return ((count * PARTITIONS) / ms) * 1_000;
}
