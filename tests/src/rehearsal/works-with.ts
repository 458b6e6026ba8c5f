/** Generates docs/works-with.md from the results of a rehearsal. */
import type { Result } from "./report.ts";

export interface RehearsalRecord {
  readonly date: string;
  readonly results: readonly Omit<Result, "area" | "seconds">[];
}

/** Tables of the page: which subjects are rows, and which checks are columns. */
const tables = [
  { title: "Runtimes", subjects: /^(Node|Bun$|Deno$)/, checks: ["core", "client", "codec", "require()"] },
  { title: "Package managers", subjects: /^(npm|pnpm|yarn|bun)$/, checks: ["installs core", "installs client"] },
  { title: "TypeScript, with `skipLibCheck: false`", subjects: /^TypeScript/, checks: ["nodenext", "bundler"] },
  { title: "Bundlers, for browsers", subjects: /./, checks: ["codec for a browser"] },
  { title: "Bundlers, for Node", subjects: /./, checks: ["client for Node"] },
];

const cells = { ok: "yes", failed: "**no**", skipped: "not checked" };

export function worksWithTables({ date, results }: RehearsalRecord): string {
  const parts = tables.map(({ title, subjects, checks }) => {
    const rows = results.filter(({ subject, check }) => subjects.test(subject) && checks.includes(check));
    const names = [...new Set(rows.map(({ subject }) => subject))];
    const lines = names.map((name) => {
      const found = checks.map((check) => rows.find((row) => row.subject === name && row.check === check));
      const version = found.map((row) => /\d+\.\d+\.\d+/.exec(versionOf(row))?.[0]).find(Boolean);
      const shown = found.map((row) => (row ? cells[row.outcome] : "–"));
      return `| ${name}${version === undefined ? "" : ` (${version})`} | ${shown.join(" | ")} |`;
    });
    return `### ${title}\n\n| | ${checks.join(" | ")} |\n|---|${checks.map(() => "---|").join("")}\n${lines.join("\n")}\n`;
  });
  return `Rehearsed on ${date}.\n\n${parts.join("\n")}`;
}

/** A note begins with the version, if it has one. */
function versionOf(row: Omit<Result, "area" | "seconds"> | undefined): string {
  return row?.outcome === "ok" && /^\d+\.\d+\.\d+/.test(row.note) ? row.note : "";
}

const [BEGIN, END] = ["<!-- rehearsed -->\n", "<!-- end -->"];

/** Returns the page with its tables replaced. */
export function withTables(page: string, record: RehearsalRecord): string {
  const [before, rest = ""] = page.split(BEGIN);
  const after = rest.split(END)[1] ?? "";
  return `${before}${BEGIN}\n${worksWithTables(record)}\n${END}${after}`;
}
