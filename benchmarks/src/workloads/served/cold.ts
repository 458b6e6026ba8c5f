/** The wall time of a fresh process: start-up, connecting and compilation count. */
import { beside, SERVED, type ServedContestant } from "../../contestants/list.ts";
import type { ColdRun } from "../../processes/programs/cold-run.ts";
import { runProgram } from "../../processes/run-program.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { ratioOf } from "../../statistics/spread.ts";
import { bestNodeClient } from "./best-node-client.ts";
import { type Guest, Servers } from "./servers.ts";

const VALUE_BYTES = 100;
const BATCH = 1_000;
const IN_FLIGHT = 4;
/** Of the runs that find out which peer is the fastest. */
const FIRST_RECORDS = 20_000;

/** LogStore and the peer whose process was the fastest in a first, short run. */
export async function servedCold(settings: Settings): Promise<Result[]> {
  const { directory, rounds, records, beside: parts } = settings;
  const contestants = beside(SERVED, parts).filter(isInTheRace);
  await using servers = await Servers.start({ contestants, directory, durability: "written" });
  const first = new Map<string, number>();
  for (const guest of [...servers.guests]) {
    const ms = await run(guest, `first-${topicOf(guest)}`, FIRST_RECORDS).catch((error) =>
      servers.exclude(guest, error),
    );
    if (ms !== undefined) first.set(guest.contestant.name, ms);
  }
  const best = bestNodeClient(
    contestants.map((one) => servers.seriesOf(one, first.has(one.name) ? [first.get(one.name)!] : [])),
    "lower",
  );
  const racing = servers.guests.filter(
    ({ contestant: { name, isNodeClient } }) => !isNodeClient || name === best?.contestant,
  );
  const times = new Map<string, number[]>(racing.map(({ contestant }) => [contestant.name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const guest of racing) {
      times.get(guest.contestant.name)!.push(await run(guest, `${round}-${topicOf(guest)}`, records));
    }
  }
  const series = racing.map(({ contestant }) => servers.seriesOf(contestant, times.get(contestant.name)!));
  const ours = series.find(({ contestant }) => contestant.startsWith("LogStore"));
  const peer = series.find(({ contestant }) => contestant === best?.contestant);
  return [
    {
      name: "served.cold",
      title: `A fresh process: ${records.toLocaleString("en")} values of ${VALUE_BYTES} B produced and consumed`,
      unit: "ms",
      series,
      ratios: [ratioOf("cold.best-node-client", ours, peer, { atMost: 0.25 })],
    },
  ];
}

function isInTheRace({ name, isNodeClient, way }: ServedContestant): boolean {
  return name === "LogStore, sendMany" || (isNodeClient === true && way !== "packed");
}

async function run({ contestant, server }: Guest, topic: string, count: number): Promise<number> {
  const { address } = server;
  const values = { count, valueBytes: VALUE_BYTES, batch: BATCH, inFlight: IN_FLIGHT };
  const request: ColdRun = { contestant, address, topic, ...values };
  return (await runProgram("cold-run", [JSON.stringify(request)])).ms;
}

function topicOf({ contestant }: Guest): string {
  return contestant.name.replaceAll(/[^a-zA-Z]/g, "");
}
