/** Some lines of a terminal that are drawn again and again in the same place. */
import { cursorTo, moveCursor } from "node:readline";
import type { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

export class Screen {
  readonly #terminal: WriteStream;
  readonly #restore = () => void this.#terminal.write(SHOW_CURSOR);
  #height = 0;
  #frame = "";

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
    terminal.write(HIDE_CURSOR);
    process.once("exit", this.#restore); // also after an error, and after Ctrl-C
    process.once("SIGINT", interrupted);
  }

  /** Columns of the terminal. */
  get width(): number {
    return this.#terminal.columns;
  }

  /** Draws the lines in place of those drawn before. Lines that do not fit are cut. */
  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, Math.max(1, this.#terminal.rows - 1)).map((line) => this.#fitted(line));
    const frame = `${shown.map((line) => `${line}${CLEAR_LINE}\n`).join("")}${CLEAR_BELOW}`;
    if (frame === this.#frame) return;
    moveCursor(this.#terminal, 0, -this.#height);
    cursorTo(this.#terminal, 0);
    this.#terminal.write(frame);
    this.#frame = frame;
    this.#height = shown.length;
  }

  /** What was drawn last stays. */
  stop(): void {
    process.off("exit", this.#restore);
    process.off("SIGINT", interrupted);
    this.#restore();
  }

  #fitted(line: string): string {
    const plain = stripVTControlCharacters(line);
    return plain.length < this.width ? line : plain.slice(0, this.width - 1);
  }
}

function interrupted(): never {
  process.exit(130);
}
