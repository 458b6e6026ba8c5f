/**
 * Measures what several servers on one machine are worth, each a process with a directory and a
 * port of its own: clients that produce to, and consume from, one server or one server each, in
 * turn. A client is a process, too, and has one topic. The processor time of the servers tells how
 * much of a processor one of them needs.
 *
 *   node src/tools/several-servers.ts --rounds 5 --clients 1 --clients 2 --way sealed
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SERVED } from "../contestants/list.ts";
import type { ServedLogTasks } from "../processes/programs/served-log.ts";
import { ServerProcess } from "../processes/server-process.ts";
import { Worker } from "../processes/worker.ts";
import { spreadOf } from "../statistics/spread.ts";

const VALUES = { valueBytes: 100, batch: 1_000, inFlight: 8 };

interface Figures {
  /** Of all clients together. */
  readonly recordsPerSecond: number;
  /** Of one processor, all servers together. */
  readonly busy: number;
}

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    /** Of each client. */
    records: { type: "string", default: "2000000" },
    clients: { type: "string", multiple: true, default: ["1", "2"] },
    way: { type: "string", default: "sealed" },
    directory: { type: "string", default: tmpdir() },
  },
});
const count = Number(flags.records);
const contestant = SERVED.find(({ name }) => name === `LogStore, ${flags.way}`);
if (contestant === undefined) throw new Error(`--way is sealed, sendMany or send, not ${flags.way}`);

const directory = await mkdtemp(join(flags.directory, "logstore-several-"));
const set = new Map<string, Figures[]>();
try {
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const clients of flags.clients.map(Number)) {
      for (const servers of new Set([1, clients])) await measure(round, clients, servers);
    }
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
for (const [name, figures] of set) {
  const { median, min, max } = spreadOf(figures.map(({ recordsPerSecond }) => recordsPerSecond / 1e6));
  const busy = spreadOf(figures.map((each) => each.busy)).median;
  const range = `${min.toFixed(2)}–${max.toFixed(2)}`;
  console.log(`${name}: ${median.toFixed(2)} M records/s (${range}); servers use ${busy.toFixed(2)} processors`);
}

async function measure(round: number, clients: number, servers: number): Promise<void> {
  const place = join(directory, `${round}-${clients}-${servers}`);
  const running = await Promise.all(
    Array.from({ length: servers }, async (_, i) => {
      await mkdir(join(place, `${i}`), { recursive: true });
      return ServerProcess.start(join(place, `${i}`));
    }),
  );
  const workers = await Promise.all(
    Array.from({ length: clients }, async (_, i) => {
      const worker = await Worker.start<ServedLogTasks>("served-log", []);
      const { address } = running[i % servers]!;
      await worker.ask("connect", { contestant: contestant!, address, durability: "written" });
      await worker.ask("createTopic", `t${i}`);
      return worker;
    }),
  );
  try {
    const topics = workers.map((worker, i) => ({ worker, topic: `t${i}` }));
    const produce = () =>
      Promise.all(topics.map(({ worker, topic }) => worker.ask("produce", { topic, count, ...VALUES })));
    const consume = () => {
      const { valueBytes } = VALUES;
      return Promise.all(topics.map(({ worker, topic }) => worker.ask("consume", { topic, count, valueBytes })));
    };
    const name = `${clients} clients, ${servers} servers`;
    add(`produce, ${name}`, await timed(running, clients, produce));
    add(`consume, ${name}`, await timed(running, clients, consume));
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
    await Promise.all(running.map((server) => server.stop()));
    await rm(place, { recursive: true, force: true });
  }
}

async function timed(
  servers: readonly ServerProcess[],
  clients: number,
  work: () => Promise<readonly number[]>,
): Promise<Figures> {
  const cpuMs = async () => (await Promise.all(servers.map((each) => each.cpuMs()))).reduce((a, b) => a + b, 0);
  const before = await cpuMs();
  const ms = Math.max(...(await work())); // of the slowest: they begin at the same time
  return { recordsPerSecond: (clients * count * 1_000) / ms, busy: ((await cpuMs()) - before) / ms };
}

function add(name: string, figures: Figures): void {
  set.set(name, [...(set.get(name) ?? []), figures]);
}
