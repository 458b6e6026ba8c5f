/** Files in memory: the home ":memory:", for tests and for logs that need not outlive the process. */
import { randomBytes } from "node:crypto";
import type { Lock, Storage, StorageFile } from "./storage.js";

/** A file grows by steps of its own size, at most this many bytes. */
const MAX_GROWTH_BYTES = 16 * 1024 * 1024;

export class MemoryStorage implements Storage {
  readonly #directories = new Set<string>();
  readonly #files = new Map<string, MemoryFile>();

  now(): number {
    return Date.now();
  }

  randomHex(length: number): string {
    return randomBytes(length).toString("hex");
  }

  /** Nobody else can reach these files. */
  async lock(): Promise<Lock> {
    return { release: async () => {} };
  }

  async makeDirectory(path: string): Promise<void> {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1))
      this.#directories.add(path.slice(0, end));
  }

  async list(directory: string): Promise<string[] | undefined> {
    if (!this.#directories.has(directory)) return undefined;
    const prefix = `${directory}/`;
    const names = [...this.#directories, ...this.#files.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length));
    return names.filter((name) => !name.includes("/"));
  }

  async syncDirectory(): Promise<void> {}

  async openFile(path: string): Promise<StorageFile> {
    const file = this.#files.get(path);
    if (file === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
    return file;
  }

  async createFile(path: string): Promise<StorageFile> {
    const file = new MemoryFile();
    this.#files.set(path, file);
    return file;
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#files.get(from);
    if (file === undefined) throw Object.assign(new Error(`no such file: ${from}`), { code: "ENOENT" });
    this.#files.set(to, file);
    this.#files.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(path);
  }
}

class MemoryFile implements StorageFile {
  readonly descriptor = undefined;
  #bytes = new Uint8Array(4096);
  #size = 0;

  async size(): Promise<number> {
    return this.#size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const found = this.#bytes.subarray(Math.min(position, this.#size), Math.min(position + into.length, this.#size));
    into.set(found);
    return found.length;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    this.#reserve(buffers.reduce((end, buffer) => end + buffer.length, position));
    let at = position;
    for (const buffer of buffers) {
      this.#bytes.set(buffer, at);
      at += buffer.length;
    }
    this.#size = Math.max(this.#size, at);
  }

  async sync(): Promise<void> {}

  async truncate(size: number): Promise<void> {
    this.#size = Math.min(this.#size, size);
  }

  async close(): Promise<void> {}

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(size, this.#bytes.length + Math.min(this.#bytes.length, MAX_GROWTH_BYTES)));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}
