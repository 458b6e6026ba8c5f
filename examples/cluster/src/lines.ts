/** What is shown of a run: a line for each event, and on a terminal a last line that changes. */
import { stripVTControlCharacters, styleText } from "node:util";

const CLEAR_LINE = "\r\x1b[K";
/** Without a terminal, how often the counts are written, ms. */
const PLAIN_EVERY_MS = 10_000;
const DRAW_EVERY_MS = 100;

export class Lines {
  readonly #startedAt = performance.now();
  readonly #status: () => string;
  readonly #timer: NodeJS.Timeout;

  /** @param status the counts, for the last line */
  constructor(status: () => string) {
    this.#status = status;
    this.#timer = setInterval(() => this.#draw(), process.stdout.isTTY ? DRAW_EVERY_MS : PLAIN_EVERY_MS);
  }

  /** Something was done to the cluster. */
  harm(text: string): void {
    this.#print(styleText("red", `✗ ${text}`));
  }

  /** A process was started. */
  help(text: string): void {
    this.#print(styleText("cyan", `↑ ${text}`));
  }

  /** The cluster does what it should. */
  good(text: string): void {
    this.#print(`${styleText("green", "✓")} ${text}`);
  }

  /** More about the line before. */
  more(text: string): void {
    this.#print(styleText("dim", `  ${text}`));
  }

  stop(): void {
    clearInterval(this.#timer);
    if (process.stdout.isTTY) process.stdout.write(CLEAR_LINE);
  }

  #draw(): void {
    if (!process.stdout.isTTY) {
      this.more(this.#status());
      return;
    }
    const line = `${this.#time()}  ${styleText("dim", `  ${this.#status()}`)}`;
    const fits = stripVTControlCharacters(line).length < process.stdout.columns;
    process.stdout.write(`${CLEAR_LINE}${fits ? line : ""}`);
  }

  #print(text: string): void {
    if (process.stdout.isTTY) process.stdout.write(CLEAR_LINE);
    console.log(`${this.#time()}  ${text}`);
  }

  #time(): string {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    return styleText("dim", `${seconds.toFixed(1).padStart(5)} s`);
  }
}

/** For instance "3.2 s", or "240 ms". */
export function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}
