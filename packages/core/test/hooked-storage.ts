/** A storage that records all mutating calls, and lets a test delay them or make them fail. */
import { type FileAccess, type Lock, MemoryStorage, type Storage, type StorageFile } from "../src/index.js";

export interface Call {
  readonly kind:
    | "createFile"
    | "link"
    | "identify"
    | "list"
    | "lock"
    | "makeDirectory"
    | "makeParents"
    | "openFile"
    | "read"
    | "remove"
    | "removeDirectory"
    | "rename"
    | "size"
    | "sync"
    | "syncDirectory"
    | "truncate"
    | "write";
  /** For a rename or a link, the new name. */
  readonly path: string;
}

/** Calls that change nothing. */
const LOOKS: readonly Call["kind"][] = ["identify", "list", "lock", "openFile", "read", "size"];

export class HookedStorage implements Storage {
  readonly inner: Storage;
  /** Completed mutating calls, in order. */
  readonly calls: Call[] = [];
  /**
   * Called before each call; if it throws, the call throws the same. It can perform a part of a
   * write first, as happens on a full disk.
   */
  before: (call: Call, writeFirst?: (bytes: number) => Promise<void>) => void | Promise<void> = () => {};
  /** Number of files that are open now, and at most so far. */
  openFiles = 0;
  mostOpenFiles = 0;
  /**
   * Whether the files offer `writeNow`; then no write waits for a promise that `before` returns.
   */
  writesNow = false;
  /** The time of the clock, if set. */
  time: number | undefined;

  constructor(inner: Storage = new MemoryStorage()) {
    this.inner = inner;
  }

  now(): number {
    return this.time ?? this.inner.now();
  }

  randomHex(length: number): string {
    return this.inner.randomHex(length);
  }

  lock(directory: string): Promise<Lock> {
    return this.#call({ kind: "lock", path: directory }, () => this.inner.lock(directory));
  }

  list(directory: string): Promise<string[] | undefined> {
    return this.#call({ kind: "list", path: directory }, () => this.inner.list(directory));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#call({ kind: "makeDirectory", path }, () => this.inner.makeDirectory(path));
  }

  makeParents(path: string): Promise<void> {
    return this.#call({ kind: "makeParents", path }, () => this.inner.makeParents(path));
  }

  identify(path: string): Promise<string | undefined> {
    return this.#call({ kind: "identify", path }, () => this.inner.identify(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call({ kind: "syncDirectory", path }, () => this.inner.syncDirectory(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call({ kind: "rename", path: to }, () => this.inner.rename(from, to));
  }

  link(from: string, to: string): Promise<void> {
    return this.#call({ kind: "link", path: to }, () => this.inner.link(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#call({ kind: "remove", path }, () => this.inner.remove(path));
  }

  removeDirectory(path: string): Promise<void> {
    return this.#call({ kind: "removeDirectory", path }, () => this.inner.removeDirectory(path));
  }

  watch(path: string, changed: () => void): Promise<() => void> {
    return this.inner.watch(path, changed);
  }

  async openFile(path: string, access: FileAccess): Promise<StorageFile> {
    return this.#hooked(path, await this.#call({ kind: "openFile", path }, () => this.inner.openFile(path, access)));
  }

  async createFile(path: string): Promise<StorageFile> {
    return this.#hooked(path, await this.#call({ kind: "createFile", path }, () => this.inner.createFile(path)));
  }

  #hooked(path: string, file: StorageFile): StorageFile {
    this.openFiles++;
    this.mostOpenFiles = Math.max(this.mostOpenFiles, this.openFiles);
    return {
      hold: () => file.hold(),
      close: async () => {
        await file.close();
        this.openFiles--;
      },
      size: () => this.#call({ kind: "size", path }, () => file.size()),
      read: (into, position) => this.#call({ kind: "read", path }, () => file.read(into, position)),
      write: (buffers, position) =>
        this.#call(
          { kind: "write", path },
          () => file.write(buffers, position),
          (bytes) => file.write([Buffer.concat(buffers).subarray(0, bytes)], position),
        ),
      sync: () => this.#call({ kind: "sync", path }, () => file.sync()),
      truncate: (size) => this.#call({ kind: "truncate", path }, () => file.truncate(size)),
      ...(this.writesNow && {
        writeNow: (buffers: readonly Uint8Array[], position: number) => {
          const call = { kind: "write", path } as const;
          void this.before(call, (bytes) => file.write([Buffer.concat(buffers).subarray(0, bytes)], position));
          if (file.writeNow?.(buffers, position) === false) return false;
          if (file.writeNow === undefined) void file.write(buffers, position); // in memory it is done when it returns
          this.calls.push(call);
          return true;
        },
      }),
    };
  }

  async #call<T>(call: Call, work: () => Promise<T>, writeFirst?: (bytes: number) => Promise<void>): Promise<T> {
    await this.before(call, writeFirst);
    const result = await work();
    if (!LOOKS.includes(call.kind)) this.calls.push(call);
    return result;
  }
}

/**
 * Makes the k-th call of a kind, on a path with that ending, fail with an I/O error; and all later
 * ones if `forGood`.
 */
export function failAt(kind: Call["kind"], k: number, pathEnd = "", forGood = false): HookedStorage["before"] {
  let count = 0;
  return (call) => {
    if (call.kind !== kind || !call.path.endsWith(pathEnd)) return;
    count++;
    if (count === k || (forGood && count > k)) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
  };
}
