/** The time from when a value was due to be sent until a consumer at the end of the log has it. */
import { beside, SERVED, type ServedContestant } from "../../contestants/list.ts";
import type { Latency } from "../../processes/open-loop.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { ratioOf, type Series } from "../../statistics/spread.ts";
import { bestNodeClient } from "./best-node-client.ts";
import { type Guest, Servers } from "./servers.ts";

const VALUE_BYTES = 100;
const USUAL_RATE = 10_000;
const SHARES = [0.25, 0.5, 0.75, 0.9];
const SHARE_OF_SLOWEST = 0.75;
const MOST_WARM_UP_MS = 2_000;
/** Values of the run that finds out how many a contestant can take. */
const PROBE = { count: 20_000, batch: 1_000, inFlight: 4, valueBytes: VALUE_BYTES };

/** At 10,000 values a second, and at 75 % of what the slowest peer can take. */
export async function servedLatency(settings: Settings): Promise<Result[]> {
  const contestants = takingPart(settings);
  await using servers = await Servers.start({ contestants, directory: settings.directory, durability: "written" });
  const most = await maxima(servers);
  const peers = contestants.filter(({ isNodeClient }) => isNodeClient).map(({ name }) => most.get(name));
  const slowest = Math.min(...peers.filter((rate) => rate !== undefined));
  const results = await atRate(servers, settings, contestants, "10k", () => USUAL_RATE);
  if (!Number.isFinite(slowest)) return results;
  const rate = Math.max(100, Math.round((slowest * SHARE_OF_SLOWEST) / 100) * 100);
  return [...results, ...(await atRate(servers, settings, contestants, "75-percent-of-slowest", () => rate))];
}

/** Each contestant at shares of its own maximum. */
export async function latencyByLoad(settings: Settings): Promise<Result[]> {
  const contestants = takingPart(settings);
  await using servers = await Servers.start({ contestants, directory: settings.directory, durability: "written" });
  const most = await maxima(servers);
  const results: Result[] = [];
  for (const share of SHARES) {
    const rateOf = ({ name }: ServedContestant) => Math.round(share * most.get(name)!);
    const name = `${share * 100}-percent`;
    results.push(...(await atRate(servers, settings, contestants, name, rateOf)));
  }
  return results.map((result) => ({ ...result, ratios: [] }));
}

function takingPart({ beside: parts }: Settings): readonly ServedContestant[] {
  const isLive = ({ name, way, isTool }: ServedContestant) =>
    isTool !== true && way !== "packed" && !["bare gRPC", "PostgreSQL"].includes(name);
  // The ways of LogStore differ in throughput only.
  return beside(SERVED, parts).filter((one) => isLive(one) && !/LogStore, (sealed|sendMany)/.test(one.name));
}

/** Values a second that each can take. */
async function maxima(servers: Servers): Promise<Map<string, number>> {
  const most = new Map<string, number>();
  for (let round = 0; round < 2; round++) {
    for (const guest of [...servers.guests]) {
      const topic = `probe-${round}-${letters(guest)}`;
      const { worker } = guest;
      const probe = async () => {
        await worker.ask("createTopic", topic);
        const ms = await worker.ask("produce", { topic, ...PROBE });
        await worker.ask("deleteTopic", topic);
        most.set(guest.contestant.name, (PROBE.count / ms) * 1_000);
      };
      await probe().catch((error) => servers.exclude(guest, error));
    }
  }
  return most;
}

async function atRate(
  servers: Servers,
  settings: Settings,
  contestants: readonly ServedContestant[],
  name: string,
  rateOf: (contestant: ServedContestant) => number,
): Promise<Result[]> {
  const found = new Map<string, Latency[]>();
  for (let round = 0; round <= settings.rounds; round++) {
    for (const guest of [...servers.guests]) {
      const { contestant, worker } = guest;
      const topic = `latency-${name}-${round}-${letters(guest)}`;
      const warmUpMs = Math.min(MOST_WARM_UP_MS, settings.latencyMs / 2);
      const load = { topic, perSecond: rateOf(contestant), ms: settings.latencyMs, warmUpMs, valueBytes: VALUE_BYTES };
      const run = async () => {
        await worker.ask("createTopic", topic);
        const latency = await worker.ask("latency", load);
        await worker.ask("deleteTopic", topic);
        if (round > 0) found.set(contestant.name, [...(found.get(contestant.name) ?? []), latency]);
      };
      await run().catch((error) => servers.exclude(guest, error));
    }
  }
  progress(`served: latency, ${name}: done`);
  const [first] = contestants;
  const how = new Set(contestants.map(rateOf)).size === 1 ? `${rateOf(first!).toLocaleString("en")} values/s` : name;
  return (["p50", "p99", "p999"] as const).map((figure) => {
    const series = contestants.map((one) =>
      servers.seriesOf(
        one,
        (found.get(one.name) ?? []).map((latency) => latency[figure]),
      ),
    );
    const title = `Latency, ${how}: ${figure}`;
    return { name: `latency.${name}.${figure}`, title, unit: "ms", series, ratios: ratiosOf(name, figure, series) };
  });
}

function ratiosOf(name: string, figure: keyof Latency, series: readonly Series[]) {
  if (figure === "p999") return [];
  const ours = series.find(({ contestant }) => contestant.startsWith("LogStore"));
  return [ratioOf(`latency.${name}.${figure}.best-peer`, ours, bestNodeClient(series, "lower"), { atMost: 1 })];
}

function letters({ contestant }: Guest): string {
  return contestant.name.replaceAll(/[^a-zA-Z]/g, "");
}
