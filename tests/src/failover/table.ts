/** The result as a Markdown table. */
import type { Tally } from "./run-rounds.ts";

const HEAD = ["fault", "rounds", "takeovers", "acknowledged", "lost", "doubled", "reordered", "other", "longest pause"];

export function table(tallies: ReadonlyMap<string, Tally>): string {
  const rows = [...tallies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([fault, tally]) => cells(fault, tally));
  const all = [...tallies.values()];
  const sum = (of: (tally: Tally) => number) => all.reduce((total, tally) => total + of(tally), 0);
  const breach = (name: keyof Tally["breaches"]) => sum(({ breaches }) => breaches[name]);
  const total: Tally = {
    rounds: sum(({ rounds }) => rounds),
    takeovers: sum(({ takeovers }) => takeovers),
    acks: sum(({ acks }) => acks),
    redelivered: sum(({ redelivered }) => redelivered),
    longestPauseMs: Math.max(0, ...all.map(({ longestPauseMs }) => longestPauseMs)),
    breaches: {
      lost: breach("lost"),
      doubled: breach("doubled"),
      reordered: breach("reordered"),
      other: breach("other"),
    },
  };
  return [HEAD, ["---", ...HEAD.slice(1).map(() => "---:")], ...rows, cells("all", total)]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

function cells(fault: string, { rounds, takeovers, acks, breaches, longestPauseMs }: Tally): string[] {
  const { lost, doubled, reordered, other } = breaches;
  const counts = [rounds, takeovers, acks, lost, doubled, reordered, other].map((n) => n.toLocaleString("en"));
  return [fault, ...counts, `${(longestPauseMs / 1000).toFixed(1)} s`];
}
