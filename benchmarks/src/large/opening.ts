/** The time until a store can be used: after a close, and after its writer was killed. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { childFile, runChild } from "../child.ts";
import type { OpenReport } from "../children/open-store.ts";
import { against, figure, inTurns, type Result } from "../measure.ts";

export async function opening(directory: string, rounds: number): Promise<Result[]> {
  const open = () => runChild<OpenReport>("open-store", [directory]);
  const { nothing, closed, killed } = await inTurns(rounds, {
    nothing: () => runChild("nothing", []),
    closed: open,
    killed: async () => {
      await writeAndBeKilled(directory);
      return open();
    },
  });
  const ms = (runs: { ms: number }[]) => runs.map((run) => run.ms);
  const openMs = (runs: { report: OpenReport }[]) => runs.map(({ report }) => report.openMs);
  const whole = { unit: "ms", limitName: "a process that does nothing" };
  return [
    figure({ name: "open, closed before", unit: "ms", target: { atMost: 150 } }, openMs(closed)),
    against({ ...whole, name: "the whole process: open and close" }, ms(closed), ms(nothing)),
    figure({ name: "open, writer killed with its segment nearly full", unit: "ms" }, openMs(killed)),
    against({ ...whole, name: "the whole process: open and close" }, ms(killed), ms(nothing)),
  ];
}

async function writeAndBeKilled(directory: string): Promise<void> {
  const writer = fork(childFile("writer"), [directory]);
  const exited = once(writer, "exit");
  const [ended] = await Promise.race([once(writer, "message"), exited.then(() => [undefined])]);
  if (ended === undefined) throw new Error("the writer ended by itself");
  writer.kill("SIGKILL");
  await exited;
}
