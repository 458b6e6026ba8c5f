/** Results of the rehearsal: a line for each while it runs, and a table at the end. */
import { writeFileSync } from "node:fs";
import { styleText } from "node:util";

export interface Result {
  /** What is checked, such as "Node 24". */
  readonly subject: string;
  /** What it is checked for, such as "core". */
  readonly check: string;
  readonly outcome: "ok" | "failed" | "skipped";
  readonly note: string;
  readonly seconds: number;
}

/** Thrown by a check that cannot run here. */
export class SkippedError extends Error {}

const marks = { ok: styleText("green", "✓"), failed: styleText("red", "✗"), skipped: styleText("yellow", "–") };

export class Report {
  readonly results: Result[] = [];

  title(title: string): void {
    print(`\n${styleText("bold", title)}`);
  }

  /** Runs a check; it returns a note on what it found. The rehearsal continues after a failure. */
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
    this.results.push({ subject, check, outcome, note, seconds });
    const shown = outcome === "skipped" ? `skipped: ${note}` : note;
    print(
      `${marks[outcome]} ${subject.padEnd(22)} ${check.padEnd(28)} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${shown}`,
    );
    return outcome === "ok";
  }

  /** What failed or was skipped, and the numbers of all. */
  summary(): boolean {
    const of = (outcome: Result["outcome"]) => this.results.filter((result) => result.outcome === outcome);
    print(`\n${styleText("bold", "Summary")}`);
    for (const { subject, check, outcome, note } of [...of("skipped"), ...of("failed")]) {
      print(`${marks[outcome]} ${subject}, ${check}: ${note.split("\n")[0]}`);
    }
    const [failed, skipped] = [of("failed").length, of("skipped").length];
    const line = `${of("ok").length} passed, ${failed} failed, ${skipped} skipped`;
    print(styleText(failed > 0 ? "red" : "green", line));
    return failed === 0;
  }

  write(file: string | URL, more: object): void {
    const results = this.results.map(({ seconds: _, ...result }) => result);
    writeFileSync(file, `${JSON.stringify({ ...more, results }, null, 2)}\n`);
  }
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
