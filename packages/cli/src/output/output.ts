/** What a command says: results on stdout, everything else on stderr. */
import { once } from "node:events";
import type { Environment } from "./environment.js";
import type { Progress, ProgressOptions } from "./progress.js";
import { type ColorWhen, coloured, hasColors, plain, type Style } from "./style.js";
import { type Column, table } from "./table.js";

export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly color?: ColorWhen | undefined;
}

export class Output {
  /** Whether results are JSON, one object a line. */
  readonly json: boolean;
  /** Whether someone sees stdout. */
  readonly isTerminal: boolean;
  /** Columns that a line of stdout may have; infinite where nobody limits it. */
  readonly width: number;
  readonly style: Style;
  readonly errorStyle: Style;
  readonly #quiet: boolean;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;

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

  /** Writes to stdout as it is; resolves when there is room for more. */
  async write(bytes: string | Uint8Array): Promise<void> {
    const stdout = this.#stdout;
    if (stdout.errored) throw stdout.errored; // the reader has gone away
    if (!stdout.write(bytes)) await once(stdout, "drain");
  }

  line(text = ""): Promise<void> {
    return this.write(`${text}\n`);
  }

  /** One object of the result, with `--json` as a line of JSON, else as `text` returns it. */
  async result(value: object, text: () => string | readonly string[]): Promise<void> {
    if (this.json) return this.line(JSON.stringify(value));
    const lines = text();
    await this.write(`${typeof lines === "string" ? lines : lines.join("\n")}\n`);
  }

  /**
   * A list: a table, or with `--json` a line for each row.
   *
   * @param empty what is said on stderr where there are no rows, instead of a table
   */
  async list<Row extends object>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): Promise<void> {
    if (this.json) {
      for (const row of rows) await this.line(JSON.stringify(row));
      return;
    }
    if (rows.length === 0) this.note(empty);
    else await this.write(`${this.table(rows, columns).join("\n")}\n`);
  }

  /** The lines of a table, for a result with more around it. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
    return table(rows, columns, this.style, this.width);
  }

  /** Something to know on stderr; nothing with `--quiet`. */
  note(text: string): void {
    if (!this.#quiet) this.#stderr.write(`${text}\n`);
  }

  /** Something to take care of on stderr, also with `--quiet`. */
  warn(text: string): void {
    this.#stderr.write(`${this.errorStyle("yellow", "warning:")} ${text}\n`);
  }

  /**
   * A bar on stderr for long work, with its rate and the time left. There is none where stderr is
   * no terminal, nor with `--quiet`. Call `end` in a `finally`.
   */
  async progress(options: ProgressOptions): Promise<Progress> {
    const { noProgress, progressBar } = await import("./progress.js");
    if (this.#quiet || this.#stderr.isTTY !== true) return noProgress;
    return progressBar(options, this.#stderr, this.errorStyle);
  }
}
