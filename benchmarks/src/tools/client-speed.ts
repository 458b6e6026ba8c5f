/**
 * Compares the processor time per record of the clients of two checkouts, in alternating runs:
 * against a broker in the same process, and against a server in another one, whose time is not
 * counted. The minimum of many runs counts, because other load only ever adds time, so that the
 * results are valid on a busy machine, too.
 *
 *   node src/tools/client-speed.ts --checkout ../../old --checkout .. --rounds 5
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runProgram } from "../processes/run-program.ts";
import { ServerProcess } from "../processes/server-process.ts";
import { percentile } from "../statistics/spread.ts";

/** Nanoseconds per record of each run, by kind of operation. */
type Report = Record<string, number[]>;

const { values: flags } = parseArgs({
  options: {
    checkout: { type: "string", multiple: true, default: [fileURLToPath(new URL("../../..", import.meta.url))] },
    home: { type: "string", multiple: true, default: ["memory", "loopback"] },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    records: { type: "string", default: "100000" },
    runs: { type: "string", default: "6" },
  },
});

for (const home of flags.home) {
  const found = flags.checkout.map((): Report => ({}));
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const [i, checkout] of flags.checkout.entries()) add(found[i]!, await measure(resolve(checkout), home));
  }
  tell(home, found);
}

async function measure(checkout: string, home: string): Promise<Report> {
  const child = async (target: string) => {
    const args = [checkout, target, flags.records, flags.runs, flags.only];
    return (await runProgram<Report>("client-speed", args)).report;
  };
  if (home === "memory") return child(":memory:");
  const directory = await mkdtemp(join(tmpdir(), "logstore-client-speed-"));
  const server = await ServerProcess.start(directory, { checkout });
  try {
    return await child(server.address);
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function add(to: Report, more: Report): void {
  for (const [way, runs] of Object.entries(more)) to[way] = [...(to[way] ?? []), ...runs];
}

function tell(home: string, found: readonly Report[]): void {
  for (const way of Object.keys(found[0]!)) {
    const figures = found.map((report) => ({
      least: Math.min(...report[way]!),
      median: percentile(report[way]!, 0.5),
    }));
    const texts = figures.map(({ least, median }) => {
      const ratio = ((least / figures[0]!.least) * 100).toFixed(1);
      return `${least.toFixed(0)} (median ${median.toFixed(0)}) ns, ${ratio} %`;
    });
    console.log(`${home} ${way}: ${texts.join("  |  ")}`);
  }
}
