/**
 * A storage behind a pool of threads, like Node's: it runs a limited number of operations at a
 * time, in order of arrival, and some of them are delayed.
 */
import type { FileAccess, Storage, StorageFile } from "../src/storage/storage.js";

type Operation = "list" | "openFile" | "sync";

export class SlowStorage {
  readonly storage: Storage;
  /** Operations in progress, and their maximum so far. */
  running = 0;
  mostRunning = 0;
  readonly #threads: number;
  readonly #waiting: (() => void)[] = [];
  readonly #isHeld: (operation: Operation, path: string) => boolean;
  readonly #held: (() => void)[] = [];
  #released = false;

  /** @param isHeld selects the operations that wait for {@link release} */
  constructor(inner: Storage, threads: number, isHeld: (operation: Operation, path: string) => boolean) {
    this.#threads = threads;
    this.#isHeld = isHeld;
    const run = this.#run.bind(this);
    const file = (path: string, opened: StorageFile): StorageFile => ({
      size: () => run("openFile", "", () => opened.size()),
      read: (into, position) => run("openFile", "", () => opened.read(into, position)),
      write: (buffers, position) => opened.write(buffers, position),
      sync: () => run("sync", path, () => opened.sync()),
      truncate: (size) => run("openFile", "", () => opened.truncate(size)),
      hold: () => opened.hold(),
      close: () => opened.close(),
    });
    this.storage = new Proxy(inner, {
      get: (_, name) => {
        if (name === "list") return (path: string) => run("list", path, () => inner.list(path));
        if (name === "openFile") {
          return async (path: string, access: FileAccess) =>
            file(path, await run("openFile", path, () => inner.openFile(path, access)));
        }
        if (name === "createFile") {
          return async (path: string) => file(path, await run("openFile", path, () => inner.createFile(path)));
        }
        const value = inner[name as keyof Storage];
        return typeof value === "function" ? value.bind(inner) : value;
      },
    });
  }

  release(): void {
    this.#released = true;
    for (const go of this.#held.splice(0)) go();
  }

  async #run<T>(operation: Operation, path: string, work: () => Promise<T>): Promise<T> {
    if (this.running === this.#threads) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      if (!this.#released && this.#isHeld(operation, path)) await new Promise<void>((go) => this.#held.push(go));
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
