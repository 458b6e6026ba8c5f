/**
 * Limits the number of open files. At the limit, the least recently used idle file is closed; if
 * all files are in use, the caller waits.
 */
import { codeOf } from "./io-trouble.js";
import type { PooledFile } from "./pooled-file.js";

/** The process or the system has no descriptor left. */
const TOO_MANY: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);

export class DescriptorSlots {
  /** Lowered if the system allows fewer. */
  #maxOpenFiles: number;
  #openFiles = 0;
  readonly #outOfDescriptors: (code: string, openFiles: number) => void;
  /** Open files that are not in use, least recently used first. */
  readonly #idle = new Set<PooledFile>();
  /** Callers that wait until they may open a file. */
  readonly #waiting: (() => void)[] = [];

  /** @param outOfDescriptors called when the system lets no more files be opened */
  constructor(maxOpenFiles: number, outOfDescriptors: (code: string, openFiles: number) => void) {
    this.#maxOpenFiles = maxOpenFiles;
    this.#outOfDescriptors = outOfDescriptors;
  }

  /**
   * @param open opens a file once there is room for it; repeated if the system has no descriptor,
   * since the rest of the process may have taken them
   */
  async open<T>(open: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#take();
      try {
        return await open();
      } catch (error) {
        const isOut = TOO_MANY.has(codeOf(error));
        if (isOut) this.#outOfDescriptors(codeOf(error), this.#openFiles - 1); // the failed attempt occupies a slot
        const isTooMany = isOut && this.#openFiles > 1;
        if (isTooMany) this.#maxOpenFiles = Math.min(this.#maxOpenFiles, this.#openFiles - 1);
        this.free();
        if (!isTooMany) throw error;
      }
    }
  }

  /** Marks a file as no longer in use. */
  async idle(file: PooledFile): Promise<void> {
    if (this.#waiting.length === 0 && this.#openFiles <= this.#maxOpenFiles) {
      this.#idle.add(file);
      return;
    }
    await file.closeForNow();
    this.free();
  }

  /** An idle file becomes the most recently used one. */
  wasUsed(file: PooledFile): void {
    if (this.#idle.delete(file)) this.#idle.add(file);
  }

  busy(file: PooledFile): void {
    this.#idle.delete(file);
  }

  /** Called when a file is closed: its slot goes to a waiting caller. */
  free(): void {
    const next = this.#openFiles > this.#maxOpenFiles ? undefined : this.#waiting.shift();
    if (next === undefined) this.#openFiles--;
    else next();
  }

  async #take(): Promise<void> {
    if (this.#openFiles < this.#maxOpenFiles) {
      this.#openFiles++;
      return;
    }
    const [oldest] = this.#idle;
    if (oldest === undefined) return new Promise((resolve) => this.#waiting.push(resolve));
    this.busy(oldest);
    await oldest.closeForNow(); // its slot is passed on to this caller
  }
}
