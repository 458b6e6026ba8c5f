/** The end of a run: what was counted, and how long each event was felt. */
import { styleText } from "node:util";
import { count, duration } from "./lines.ts";
import type { Outcome } from "./stage.ts";
import type { Ledger } from "./traffic/ledger.ts";

export function printSummary(ledger: Ledger, lost: number, outcomes: readonly Outcome[]): void {
  console.log(`\n${styleText("bold", "Longest pause of any partition".padEnd(32))}${row("writes", "reads")}`);
  for (const { event, writes, reads } of byEvent(outcomes)) {
    console.log(`  ${event.padEnd(30)}${row(duration(writes), duration(reads))}`);
  }
  const longest = Math.max(...outcomes.map(({ writes }) => writes));
  const read = ledger.complaints.length === 0 ? "by the group, in order" : "by the group";
  console.log(`
acknowledged   ${count(ledger.acknowledged).padStart(8)}
read           ${count(ledger.read).padStart(8)}  ${read}
re-delivered   ${count(ledger.redelivered).padStart(8)}  of them, as groups may
lost           ${count(lost).padStart(8)}
longest pause  ${duration(longest).padStart(8)}  without an acknowledgement in a partition
`);
}

function row(...cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(9)).join("");
}

/** The worst of each kind. */
function byEvent(outcomes: readonly Outcome[]): Outcome[] {
  return Array.from(
    Map.groupBy(outcomes, ({ event }) => event),
    ([event, same]) => {
      const worst = (name: "writes" | "reads") => Math.max(...same.map((outcome) => outcome[name]));
      return { event, writes: worst("writes"), reads: worst("reads") };
    },
  );
}
