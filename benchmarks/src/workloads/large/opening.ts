/** The time until a store can be used: after a close, and after its writer was killed. */
import { fork } from "node:child_process";
import { endedWithThis, firstMessage, stopped } from "../../processes/children.ts";
import type { OpenReport } from "../../processes/programs/open-store.ts";
import { programFile, runProgram } from "../../processes/run-program.ts";
import { against, figure, type Result, situations } from "../../statistics/result.ts";
import { inTurns } from "../../statistics/rounds.ts";
import type { SizedStore } from "./build-store.ts";

/** Of stores that were closed before. */
export async function openingBySize(stores: readonly SizedStore[], rounds: number): Promise<Result[]> {
  const times: Record<string, number[]> = Object.fromEntries(stores.map(({ size }) => [size, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const { size, directory } of stores) {
      times[size]!.push((await runProgram<OpenReport>("open-store", [directory])).report.openMs);
    }
  }
  return [situations({ name: "open", title: "Open, closed before", unit: "ms" }, times)];
}

export async function opening(directory: string, rounds: number): Promise<Result[]> {
  const open = () => runProgram<OpenReport>("open-store", [directory]);
  const { nothing, closed, killed } = await inTurns(rounds, {
    nothing: () => runProgram("nothing", []),
    closed: open,
    killed: async () => {
      await writeAndBeKilled(directory);
      return open();
    },
  });
  const ms = (runs: { ms: number }[]) => runs.map((run) => run.ms);
  const openMs = (runs: { report: OpenReport }[]) => runs.map(({ report }) => report.openMs);
  const whole = { unit: "ms", baseline: "a process that does nothing" };
  return [
    figure({ title: "open, closed before", unit: "ms", goal: { atMost: 150 } }, openMs(closed)),
    against({ ...whole, title: "the whole process: open and close, closed before" }, ms(closed), ms(nothing)),
    figure({ title: "open, writer killed with its segment nearly full", unit: "ms" }, openMs(killed)),
    against({ ...whole, title: "the whole process: open and close, writer killed" }, ms(killed), ms(nothing)),
  ];
}

async function writeAndBeKilled(directory: string): Promise<void> {
  const writer = endedWithThis(fork(programFile("writer"), [directory]));
  await firstMessage(writer);
  await stopped(writer, () => void writer.kill("SIGKILL"));
}
