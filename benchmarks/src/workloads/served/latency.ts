/** The time from when a value was due to be sent until a consumer at the end of the log has it. */
import type { Durability } from "../../contestants/embedded.ts";
import { SERVED, type ServedContestant, takingPart } from "../../contestants/list.ts";
import type { Latency } from "../../processes/open-loop.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { type Ratio, ratioOf, type Series } from "../../statistics/spread.ts";
import { bestNodeClient } from "./best-node-client.ts";
import { Guests } from "./guests.ts";

const VALUE_BYTES = 100;
const USUAL_RATE = 10_000;
const SHARE_OF_SLOWEST = 0.75;
const SHARES = [0.25, 0.5, 0.75, 0.9];
const MOST_WARM_UP_MS = 2_000;
/** Values of the run that finds out how many a contestant can take. */
const PROBE = { count: 20_000, batch: 1_000, inFlight: 4, valueBytes: VALUE_BYTES };

const CONTESTANTS = SERVED.filter(isLive);
/** What grpc-js alone needs for the messages that LogStore exchanges. */
const LIMIT = "bare gRPC";

/** At 10,000 values a second, and at 75 % of what the slowest peer can take. */
export async function servedLatency(settings: Settings): Promise<Result[]> {
  await using race = await Race.start(settings, "written", CONTESTANTS);
  const slowest = race.slowestPeer();
  const usual = await race.run("10k", () => USUAL_RATE);
  if (slowest === undefined) return usual;
  const rate = Math.max(100, Math.round((slowest * SHARE_OF_SLOWEST) / 100) * 100);
  return [...usual, ...(await race.run("75-percent-of-slowest", () => rate))];
}

/** Each contestant at shares of its own maximum; and with acknowledgements after a flush. */
export async function latencyByLoad(all: Settings): Promise<Result[]> {
  const settings = { ...all, latencyMs: all.latencyMs / 3 };
  const results: Result[] = [];
  const contestants = CONTESTANTS.filter(({ name }) => name !== LIMIT); // its maximum is of large messages
  {
    await using race = await Race.start(settings, "written", contestants);
    for (const share of SHARES) {
      const name = `${share * 100}-percent`;
      results.push(...(await race.run(name, (contestant) => Math.round(share * race.mostOf(contestant)))));
    }
  }
  await using race = await Race.start(settings, "flushed", contestants);
  results.push(...(await race.run("1k.flushed", () => USUAL_RATE / 10)));
  return results.map((result) => ({ ...result, ratios: [] }));
}

class Race implements AsyncDisposable {
  readonly #guests: Guests;
  readonly #settings: Settings;
  readonly #contestants: readonly ServedContestant[];
  /** Values a second that each can take. */
  readonly #most = new Map<string, number>();

  private constructor(guests: Guests, settings: Settings, contestants: readonly ServedContestant[]) {
    this.#guests = guests;
    this.#settings = settings;
    this.#contestants = contestants;
  }

  static async start(settings: Settings, durability: Durability, all: readonly ServedContestant[]): Promise<Race> {
    const contestants = takingPart(all, settings);
    const guests = await Guests.invite(contestants, { servers: settings.servers, durability });
    const race = new Race(guests, settings, contestants);
    if (durability === "written") await race.#probe();
    return race;
  }

  /** Twice, since the first run warms up. */
  async #probe(): Promise<void> {
    for (let run = 0; run < 2; run++) {
      for (const guest of this.#guests) {
        const topic = `probe-${run}-${guest.id}`;
        const ms = await this.#guests.turn(guest, async ({ worker }) => {
          await worker.ask("createTopic", topic);
          const taken = await worker.ask("produce", { topic, ...PROBE });
          await worker.ask("deleteTopic", topic);
          return taken;
        });
        if (ms !== undefined) this.#most.set(guest.contestant.name, (PROBE.count / ms) * 1_000);
      }
    }
  }

  mostOf({ name }: ServedContestant): number {
    return this.#most.get(name) ?? USUAL_RATE;
  }

  /** What the slowest peer can take; undefined if there is no peer. */
  slowestPeer(): number | undefined {
    const peers = this.#contestants.filter(({ isNodeClient, name }) => isNodeClient && this.#most.has(name));
    return peers.length === 0 ? undefined : Math.min(...peers.map((peer) => this.mostOf(peer)));
  }

  /** @param name of the load, as a part of the results' names */
  async run(name: string, rateOf: (contestant: ServedContestant) => number): Promise<Result[]> {
    const { rounds, latencyMs } = this.#settings;
    const warmUpMs = Math.min(MOST_WARM_UP_MS, latencyMs / 2);
    const found = new Map<string, Latency[]>(this.#contestants.map((one) => [one.name, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const guest of this.#guests) {
        const { contestant } = guest;
        const topic = `latency-${name.replaceAll(".", "-")}-${round}-${guest.id}`;
        const load = { topic, perSecond: rateOf(contestant), ms: latencyMs, warmUpMs, valueBytes: VALUE_BYTES };
        const latency = await this.#guests.turn(guest, async ({ worker }) => {
          await worker.ask("createTopic", topic);
          const measured = await worker.ask("latency", load);
          await worker.ask("deleteTopic", topic);
          return measured;
        });
        if (latency !== undefined) found.get(contestant.name)!.push(latency);
      }
    }
    progress(`served: latency, ${name}: done`);
    return this.#results(name, rateOf, found);
  }

  #results(name: string, rateOf: (contestant: ServedContestant) => number, found: Map<string, Latency[]>): Result[] {
    const rates = new Set(this.#contestants.map(rateOf));
    const [rate] = rates;
    const load =
      rates.size === 1
        ? `${rate!.toLocaleString("en")} values/s`
        : `${name.replace("-percent", " %")} of the maximum of each`;
    return (["p50", "p99", "p999"] as const).map((figure) => {
      const series = this.#contestants.map((contestant) => {
        const values = found.get(contestant.name)!.map((latency) => latency[figure]);
        return this.#guests.seriesOf(contestant, values);
      });
      const title = `Latency, ${load}${name.endsWith("flushed") ? ", flushed" : ""}: ${figure}`;
      return { name: `latency.${name}.${figure}`, title, unit: "ms", series, ratios: ratiosOf(name, figure, series) };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guests[Symbol.asyncDispose]();
  }
}

/** Of LogStore, the way that sends record by record. PostgreSQL's clients would have to ask. */
function isLive({ name, way, isTool }: ServedContestant): boolean {
  if (name.startsWith("LogStore")) return way === "send";
  return isTool !== true && way !== "packed" && name !== "PostgreSQL";
}

function ratiosOf(name: string, figure: keyof Latency, series: readonly Series[]): Ratio[] {
  if (figure === "p999") return [];
  const ours = series.find(({ contestant }) => contestant === "LogStore, send");
  const limit = series.find(({ contestant }) => contestant === LIMIT);
  return [
    ratioOf(`latency.${name}.${figure}.best-peer`, ours, bestNodeClient(series, "lower"), { atMost: 1 }),
    ratioOf(`latency.${name}.${figure}.bare`, ours, limit),
  ];
}
