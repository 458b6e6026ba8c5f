/** The cost to the server of many readers at the end of a log without new records. */
import { setTimeout as sleep } from "node:timers/promises";
import { GrpcLogApi } from "@logstore/client";
import type { ConsumeEvent } from "@logstore/protocol";
import { ServerProcess } from "../../processes/server-process.ts";
import type { Settings } from "../../settings.ts";
import { figure, type Result } from "../../statistics/result.ts";

const TAILS = 1_000;
const PARTITIONS = 10;
const CONNECTIONS = 2;
const IDLE_MS = 25_000;
const MIB = 1024 * 1024;

export async function idleTails({ directory }: Settings): Promise<Result[]> {
  const server = await ServerProcess.start(directory);
  const apis = Array.from({ length: CONNECTIONS }, () => new GrpcLogApi(server.address));
  const stop = new AbortController();
  try {
    const [api] = apis;
    await api!.createTopic({ topic: "t", partitions: PARTITIONS });
    const tail = (i: number) => {
      const request = { topic: "t", partition: i % PARTITIONS, from: "latest" } as const;
      const events = apis[i % CONNECTIONS]!.consume(request, { signal: stop.signal })[Symbol.asyncIterator]();
      return untilCaughtUp(events).then(() => keepReading(events));
    };
    await tail(0); // allocates memory that all tails share
    await sleep(1_000);
    const before = await server.residentBytes();
    await Promise.all(Array.from({ length: TAILS }, (_, i) => tail(i)));
    const cpuBefore = await server.cpuMs();
    await sleep(IDLE_MS);
    const cpuPercent = ((await server.cpuMs()) - cpuBefore) / (IDLE_MS / 100);
    const growthBytes = (await server.residentBytes()) - before;
    return [
      figure({ title: `${TAILS} idle tails: memory added`, unit: "MiB", goal: { atMost: 100 } }, [growthBytes / MIB]),
      figure({ title: `${TAILS} idle tails: processor`, unit: "% of one", goal: { atMost: 1 } }, [cpuPercent]),
    ];
  } finally {
    stop.abort();
    for (const api of apis) api.close();
    await server.stop();
  }
}

async function untilCaughtUp(events: AsyncIterator<ConsumeEvent>): Promise<void> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error("a tail ended");
    if (value.type === "caughtUp") return;
  }
}

/** Heartbeats must be read. */
function keepReading(events: AsyncIterator<ConsumeEvent>): void {
  const next = (): Promise<void> => events.next().then(({ done }) => (done ? undefined : next()));
  next().catch(() => {}); // at the end
}
