/** The output of a command: results on stdout, everything else on stderr. */
import { once } from "node:events";
import type { Environment } from "./environment.js";
import type { Progress, ProgressOptions } from "./progress.js";
import { type ColorWhen, coloured, hasColors, plain, type Style } from "./style.js";
import { type Column, table } from "./table.js";

/** Moves to the beginning of the line, and clears it. */
const CLEAR_LINE = "\r\x1b[K";

export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly color?: ColorWhen | undefined;
}

export class Output {
  /** Whether results are JSON, one object per line. */
  readonly json: boolean;
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean;
  /** Largest number of columns in a line of stdout; infinite if there is no limit. */
  readonly width: number;
  readonly style: Style;
  readonly errorStyle: Style;
  readonly #quiet: boolean;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  /** Whether the current line of stderr may hold a progress bar. */
  #hasBar = false;

  constructor(
    options: OutputOptions,
    environment: Environment,
    stdout: NodeJS.WriteStream,
    stderr: NodeJS.WriteStream,
  ) {
    const { json = false, quiet = false, color = "auto" } = options;
    this.json = json;
    this.isTerminal = stdout.isTTY === true;
    const columns = stdout.isTTY ? stdout.columns : Number(environment["COLUMNS"]);
    this.width = columns > 0 ? columns : Number.POSITIVE_INFINITY;
    this.style = hasColors(color, this.isTerminal, environment) ? coloured : plain;
    this.errorStyle = hasColors(color, stderr.isTTY === true, environment) ? coloured : plain;
    this.#quiet = quiet;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** Writes to stdout unchanged; resolves when there is room for more. */
  async write(bytes: string | Uint8Array): Promise<void> {
    const stdout = this.#stdout;
    if (stdout.errored) throw stdout.errored; // the reader has gone away
    if (!stdout.write(bytes)) await once(stdout, "drain");
  }

  line(text = ""): Promise<void> {
    return this.write(`${text}\n`);
  }

  /**
   * Writes one object of the result: a line of JSON with `--json`, otherwise the lines that `text`
   * returns.
   */
  async result(value: object, text: () => string | readonly string[]): Promise<void> {
    if (this.json) return this.line(JSON.stringify(value));
    const lines = text();
    await this.write(`${typeof lines === "string" ? lines : lines.join("\n")}\n`);
  }

  /**
   * Writes a list: a table, or with `--json` a line for each row.
   *
   * @param empty message for stderr if there are no rows
   */
  async list<Row extends object>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): Promise<void> {
    if (this.json) {
      for (const row of rows) await this.line(JSON.stringify(row));
      return;
    }
    if (rows.length === 0) this.note(empty);
    else await this.write(`${this.table(rows, columns).join("\n")}\n`);
  }

  /** Returns the lines of a table, for a result that contains more than the table. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
    return table(rows, columns, this.style, this.width);
  }

  /** Writes a note to stderr, unless `--quiet` is set. */
  note(text: string): void {
    if (!this.#quiet) this.#tell(text);
  }

  /** Writes a warning to stderr, even with `--quiet`. */
  warn(text: string): void {
    this.#tell(`${this.errorStyle("yellow", "warning:")} ${text}`);
  }

  /** Replaces a progress bar, which is drawn anew below. */
  #tell(line: string): void {
    this.#stderr.write(`${this.#hasBar ? CLEAR_LINE : ""}${line}\n`);
  }

  /**
   * Shows a progress bar on stderr, with the rate and the remaining time. There is none if stderr
   * is not a terminal, or with `--quiet`. Call `end` in a `finally`.
   */
  async progress(options: ProgressOptions): Promise<Progress> {
    const { noProgress, progressBar } = await import("./progress.js");
    if (this.#quiet || this.#stderr.isTTY !== true) return noProgress;
    const bar = progressBar(options, this.#stderr, this.errorStyle);
    this.#hasBar = true;
    return {
      update: bar.update,
      end: () => {
        bar.end();
        this.#hasBar = false;
      },
    };
  }
}
