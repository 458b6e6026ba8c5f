/** The memory of server and client while a client catches up with a large log. Linux only. */
import { join } from "node:path";
import type { ConsumeThroughReport } from "../../processes/programs/consume-through.ts";
import { runProgram } from "../../processes/run-program.ts";
import { ServerProcess } from "../../processes/server-process.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { figureOf, median } from "../../statistics/spread.ts";
import { fillTopic } from "./fill-topic.ts";

const MB = 1e6;
const TOPIC = "large";
const LOOK_INTERVAL_MS = 20;
/** Each round consumes the whole log. */
const MAX_ROUNDS = 3;

interface Round {
  readonly server: number;
  readonly client: number;
  readonly growth: number;
  readonly rate: number;
}

export async function servedMemory({ directory, rounds, storeBytes }: Settings): Promise<Result[]> {
  const data = join(directory, "data");
  const filling = await ServerProcess.start(data);
  try {
    await fillTopic(filling.address, TOPIC, storeBytes);
  } finally {
    await filling.stop(); // what it needed to write is not what it needs to serve
  }
  progress("consuming it");
  const all: Round[] = [];
  for (let i = 0; i < Math.min(rounds, MAX_ROUNDS); i++) all.push(await round(data));
  const size = `${(storeBytes / 1e9).toLocaleString("en")} GB`;
  const result = (name: string, title: string, unit: string, figure: keyof Round, atMost?: number): Result => {
    const series = { contestant: "LogStore", values: all.map((one) => one[figure]) };
    const goal = atMost === undefined ? undefined : { atMost };
    return { name, title, unit, series: [series], ratios: [figureOf(name, series, goal)] };
  };
  return [
    result("memory.server", `Catch-up over ${size}: memory of the server over idle`, "MB", "server", 128),
    result("memory.client", `Catch-up over ${size}: memory of the client over idle`, "MB", "client", 128),
    result("memory.client.growth", `Catch-up over ${size}: client, last quarter − first quarter`, "MB", "growth"),
    result("memory.rate", `Catch-up over ${size}: batches, each value`, "records/s", "rate"),
  ];
}

async function round(data: string): Promise<Round> {
  const server = await ServerProcess.start(data);
  const idle = await server.residentBytes();
  let peak = idle;
  const looking = setInterval(async () => {
    peak = Math.max(peak, await server.residentBytes().catch(() => 0));
  }, LOOK_INTERVAL_MS);
  try {
    const { report } = await runProgram<ConsumeThroughReport>("consume-through", [server.address, TOPIC]);
    const { rssBytes, idleBytes, records, ms } = report;
    const quarter = Math.floor(rssBytes.length / 4);
    return {
      server: (peak - idle) / MB,
      client: (Math.max(...rssBytes) - idleBytes) / MB,
      growth: (median(rssBytes.slice(-quarter)) - median(rssBytes.slice(0, quarter))) / MB,
      rate: (records / ms) * 1_000,
    };
  } finally {
    clearInterval(looking);
    await server.stop();
  }
}
