/**
 * A process that can be killed: its disk operations in progress have no further effect, and never
 * complete.
 */
import type { Storage, StorageFile } from "../../src/index.js";

const never = new Promise<never>(() => {});

export class MortalProcess {
  /** The disk as seen by this process. */
  readonly storage: Storage;
  readonly #open = new Map<StorageFile, string>();
  #isDead = false;

  constructor(inner: Storage) {
    const open = async (path: string, opening: Promise<StorageFile>): Promise<StorageFile> => {
      const inner = await opening;
      const file: StorageFile = this.#mortal(inner, {
        close: async () => {
          await inner.close();
          this.#open.delete(file);
        },
      });
      this.#open.set(file, path);
      return file;
    };
    this.storage = this.#mortal(inner, {
      createFile: (path) => open(path, inner.createFile(path)),
      openFile: (path, access) => open(path, inner.openFile(path, access)),
    });
  }

  /** Paths of the files that it has open. */
  get openFiles(): string[] {
    return [...this.#open.values()];
  }

  kill(): void {
    this.#isDead = true;
  }

  #mortal<T extends object>(inner: T, instead: Partial<T>): T {
    return new Proxy(inner, {
      get: (_, name) => {
        const method = Reflect.get(instead, name) ?? Reflect.get(inner, name);
        if (typeof method !== "function") return method;
        return (...given: unknown[]) => {
          if (this.#isDead) {
            if (name === "writeNow") throw new Error("the process is dead"); // what follows never completes, either
            return never;
          }
          const result = Reflect.apply(method, inner, given);
          if (!(result instanceof Promise)) return result;
          return result.then(
            (value: unknown) => (this.#isDead ? never : value),
            (error: unknown) => {
              if (this.#isDead) return never;
              throw error;
            },
          );
        };
      },
    });
  }
}
