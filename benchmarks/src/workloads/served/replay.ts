/** A live tail, alone and while another process replays a large topic of the same server. */
import { join } from "node:path";
import { SERVED } from "../../contestants/list.ts";
import type { Latency } from "../../processes/open-loop.ts";
import type { ConsumeThroughReport } from "../../processes/programs/consume-through.ts";
import type { ServedLogTasks } from "../../processes/programs/served-log.ts";
import { runProgram } from "../../processes/run-program.ts";
import { ServerProcess } from "../../processes/server-process.ts";
import { Worker } from "../../processes/worker.ts";
import type { Settings } from "../../settings.ts";
import { type Result, situations } from "../../statistics/result.ts";
import { fillTopic } from "./fill-topic.ts";

const REPLAYED_BYTES = 1e9;
const REPLAYED = "replayed";
const PER_SECOND = 1_000;
const VALUE_BYTES = 100;

export async function besideReplay({ directory, rounds, latencyMs, storeBytes }: Settings): Promise<Result[]> {
  const server = await ServerProcess.start(join(directory, "data"));
  const worker = await Worker.start<ServedLogTasks>("served-log", []);
  try {
    await fillTopic(server.address, REPLAYED, Math.min(REPLAYED_BYTES, storeBytes));
    const contestant = SERVED.find(({ name }) => name === "LogStore, send")!;
    await worker.ask("connect", { contestant, address: server.address, durability: "written" });
    const alone: Latency[] = [];
    const beside: Latency[] = [];
    for (let round = 0; round <= rounds; round++) {
      const measure = async (name: string) => {
        const topic = `${name}-${round}`;
        await worker.ask("createTopic", topic);
        const load = { topic, perSecond: PER_SECOND, ms: latencyMs, warmUpMs: latencyMs / 4, valueBytes: VALUE_BYTES };
        return worker.ask("latency", load);
      };
      const first = await measure("alone");
      const replay = repeat(() => runProgram<ConsumeThroughReport>("consume-through", [server.address, REPLAYED]));
      const second = await measure("beside").finally(() => replay.stop());
      if (round === 0) continue;
      alone.push(first);
      beside.push(second);
    }
    return (["p50", "p99"] as const).map((figure) => {
      const title = `Live tail, ${PER_SECOND.toLocaleString("en")} values/s: ${figure}`;
      const [quiet, busy] = [alone, beside].map((runs) => runs.map((latency) => latency[figure]));
      return situations(
        { name: `replay.${figure}`, title, unit: "ms" },
        { alone: quiet!, "while another replays": busy! },
      );
    });
  } finally {
    await worker.kill();
    await server.stop();
  }
}

/** Runs it again and again until it is stopped; the last run ends first. */
function repeat(work: () => Promise<unknown>): { stop(): Promise<void> } {
  let isOver = false;
  const running = (async () => {
    while (!isOver) await work();
  })();
  return {
    async stop() {
      isOver = true;
      await running;
    },
  };
}
