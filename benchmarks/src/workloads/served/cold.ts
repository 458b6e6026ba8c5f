/** The wall time of a fresh process: start-up, connecting and compilation count. */
import { SERVED, type ServedContestant, takingPart } from "../../contestants/list.ts";
import type { ColdRun } from "../../processes/programs/cold-run.ts";
import { runProgram } from "../../processes/run-program.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { ratioOf } from "../../statistics/spread.ts";
import { bestNodeClient } from "./best-node-client.ts";
import { type Guest, Guests } from "./guests.ts";

const VALUE_BYTES = 100;
const BATCH = 1_000;
const IN_FLIGHT = 4;
/** A round takes as long as the peer. */
const MOST_ROUNDS = 3;
/** Of the runs that find out which peer is the fastest. */
const FIRST_RECORDS = 20_000;

/** LogStore, and the peer whose process was the fastest in a first, short run. */
export async function servedCold(settings: Settings): Promise<Result[]> {
  const { servers } = settings;
  const rounds = Math.min(settings.rounds, MOST_ROUNDS);
  const records = settings.records / 2;
  const contestants = takingPart(SERVED.filter(isInTheRace), settings);
  await using guests = await Guests.invite(contestants, { servers, durability: "written" });
  const first = new Map<string, number[]>();
  for (const guest of guests) {
    const ms = await guests.turn(guest, () => run(guest, `first-${guest.id}`, FIRST_RECORDS));
    first.set(guest.contestant.name, ms === undefined ? [] : [ms]);
  }
  const best = bestNodeClient(
    contestants.map((one) => guests.seriesOf(one, first.get(one.name) ?? [])),
    "lower",
  );
  const racing = [...guests].filter(
    ({ contestant: { name, isNodeClient } }) => isNodeClient !== true || name === best?.contestant,
  );
  const times = new Map<string, number[]>(racing.map(({ contestant }) => [contestant.name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const guest of racing) {
      const ms = await guests.turn(guest, () => run(guest, `${round}-${guest.id}`, records));
      if (ms !== undefined) times.get(guest.contestant.name)!.push(ms);
    }
  }
  const series = racing.map(({ contestant }) => guests.seriesOf(contestant, times.get(contestant.name)!));
  const ours = series.find(({ contestant }) => contestant === "LogStore, sendMany");
  const peer = series.find(({ contestant }) => contestant === best?.contestant);
  return [
    {
      name: "served.cold",
      title: `A fresh process: ${records.toLocaleString("en")} values of ${VALUE_BYTES} B produced and consumed`,
      unit: "ms",
      series,
      ratios: [ratioOf("served.cold.best-node-client", ours, peer, { atMost: 0.25 })],
    },
  ];
}

function isInTheRace({ name, isNodeClient, way }: ServedContestant): boolean {
  return name === "LogStore, sendMany" || (isNodeClient === true && way !== "packed");
}

async function run({ contestant, server }: Guest, topic: string, count: number): Promise<number> {
  const values = { count, valueBytes: VALUE_BYTES, batch: BATCH, inFlight: IN_FLIGHT };
  const request: ColdRun = { contestant, address: server.address, topic: `cold-${topic}`, ...values };
  return (await runProgram("cold-run", [JSON.stringify(request)])).ms;
}
