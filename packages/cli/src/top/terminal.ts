/** Takes over the terminal, and restores its state afterwards. */
import type { ReadStream, WriteStream } from "node:tty";

/**
 * Enters the alternate screen, hides the cursor, and truncates long lines instead of wrapping them.
 */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

export class FullScreen {
  readonly #stdin: ReadStream;
  readonly #stdout: WriteStream;
  readonly #onData: (bytes: Buffer) => void;
  #isOpen = true;

  /**
   * @param onKey called with each character that is typed; Ctrl-C is "\x03"
   * @param onResize called when the size of the screen has changed
   */
  constructor(stdin: ReadStream, stdout: WriteStream, onKey: (key: string) => void, onResize: () => void) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#onData = (bytes) => {
      for (const key of bytes.toString("latin1")) onKey(key);
    };
    // Also if the process exits because of an error, when nothing asynchronous runs any more.
    process.once("exit", this.#restore);
    stdout.write(ENTER);
    stdin.setRawMode(true);
    stdin.on("data", this.#onData);
    stdin.resume();
    stdout.on("resize", onResize);
    this.#onResize = onResize;
  }

  readonly #onResize: () => void;

  get width(): number {
    return this.#stdout.columns || 80;
  }

  get height(): number {
    return this.#stdout.rows || 24;
  }

  /** Draws over the previous screen in a single write, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    this.#stdout.write(`${HOME}${lines.join(`${CLEAR_LINE}\r\n`)}${CLEAR_LINE}${CLEAR_BELOW}`);
  }

  close(): void {
    process.off("exit", this.#restore);
    this.#stdout.off("resize", this.#onResize);
    this.#stdin.off("data", this.#onData);
    this.#stdin.pause();
    this.#restore();
  }

  readonly #restore = () => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#stdin.isTTY) this.#stdin.setRawMode(false);
    this.#stdout.write(LEAVE);
  };
}
