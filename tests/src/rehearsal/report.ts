/** Results of the rehearsal: prints a line for each check while it runs, and a table at the end. */
import { writeFileSync } from "node:fs";
import { styleText } from "node:util";

export interface Result {
  /** The title of the section in which the result is printed. */
  readonly area: string;
  /** What is checked, such as "Node 24". */
  readonly subject: string;
  /** The part that is checked with the subject, such as "core". */
  readonly check: string;
  readonly outcome: "ok" | "failed" | "skipped";
  readonly note: string;
  readonly seconds: number;
}

/** Thrown by a check that cannot run in this environment. */
export class SkippedError extends Error {}

const marks = { ok: styleText("green", "✓"), failed: styleText("red", "✗"), skipped: styleText("yellow", "–") };

export class Report {
  readonly results: Result[] = [];
  #area = "";

  title(title: string): void {
    this.#area = title;
    print(`\n${styleText("bold", title)}`);
  }

  /** Runs a check, whose result is a note. The rehearsal continues after a failure. */
  async check(subject: string, check: string, work: () => Promise<string | undefined>): Promise<boolean> {
    const begun = performance.now();
    let outcome: Result["outcome"] = "ok";
    let note: string;
    try {
      note = (await work()) ?? "";
    } catch (error) {
      outcome = error instanceof SkippedError ? "skipped" : "failed";
      note = (error as Error).message;
    }
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    this.results.push({ area: this.#area, subject, check, outcome, note, seconds });
    const shown = outcome === "skipped" ? `skipped: ${note}` : note;
    print(
      `${marks[outcome]} ${subject.padEnd(22)} ${check.padEnd(28)} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${shown}`,
    );
    return outcome === "ok";
  }

  /**
   * Prints a row for each area, and the checks that failed or were skipped. Returns whether nothing
   * failed.
   */
  summary(): boolean {
    print(`\n${styleText("bold", "Summary")}`);
    print(styleText("dim", `${"".padEnd(42)}passed  failed  skipped     time`));
    for (const area of new Set(this.results.map((result) => result.area))) {
      print(
        row(
          area,
          this.results.filter((result) => result.area === area),
        ),
      );
    }
    print(styleText("bold", row("all", this.results)));
    const notable = this.results.filter(({ outcome }) => outcome !== "ok");
    for (const { subject, check, outcome, note } of notable) {
      print(`${marks[outcome]} ${subject}, ${check}: ${note.split("\n")[0]}`);
    }
    return notable.every(({ outcome }) => outcome !== "failed");
  }

  write(file: string | URL, more: object): void {
    const results = this.results.map(({ area: _area, seconds: _seconds, ...result }) => result);
    writeFileSync(file, `${JSON.stringify({ ...more, results }, null, 2)}\n`);
  }
}

function row(name: string, results: readonly Result[]): string {
  const [passed, failed, skipped] = (["ok", "failed", "skipped"] as const).map((outcome) =>
    String(results.filter((result) => result.outcome === outcome).length),
  );
  const seconds = Math.round(results.reduce((sum, result) => sum + result.seconds, 0));
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return `${name.padEnd(42)}${passed!.padStart(6)}  ${failed!.padStart(6)}  ${skipped!.padStart(7)}  ${time.padStart(7)}`;
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
