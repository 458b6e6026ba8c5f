/**
 * Files in memory: the storage of ":memory:", for tests and for logs that need not outlive the
 * process.
 */
import { randomBytes } from "node:crypto";
import { Pacer } from "../pacing/pacer.js";
import type { FileHold, Lock, Storage, StorageFile } from "./storage.js";

/** A file's buffer doubles, but grows by at most this many bytes at a time. */
const MAX_GROWTH_BYTES = 16 * 1024 * 1024;

/**
 * Nothing here waits for a disk. Without pauses, a loop that only awaits appends would block the
 * event loop: no timer, stream or snapshot would make progress.
 */
const pacer = new Pacer();

type Directory = Map<string, MemoryFile | "directory">;

/** A storage in memory, whose contents are lost when the process exits. */
export class MemoryStorage implements Storage {
  readonly #directories = new Map<string, Directory>();

  now(): number {
    return Date.now();
  }

  randomHex(length: number): string {
    return randomBytes(length).toString("hex");
  }

  /** No other process can reach these files. */
  async lock(): Promise<Lock> {
    return { check() {}, release: async () => {} };
  }

  async makeParents(path: string): Promise<void> {
    const { directory } = split(path);
    if (directory === "" || this.#directories.has(directory)) return;
    await this.makeParents(directory);
    await this.makeDirectory(directory);
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#directories.has(path)) return;
    const { directory, name } = split(path);
    if (name !== path && directory !== "" && !this.#directories.has(directory)) throw notFound(directory);
    this.#directories.set(path, new Map());
    if (name === path || directory === "") return; // the root
    this.#directories.get(directory)!.set(name, "directory");
  }

  /** A path always leads to the same directory here. */
  async identify(directory: string): Promise<string | undefined> {
    return this.#directories.has(directory) ? "" : undefined;
  }

  async list(directory: string): Promise<string[] | undefined> {
    const found = this.#directories.get(directory);
    return found && [...found.keys()];
  }

  async syncDirectory(): Promise<void> {}

  async openFile(path: string): Promise<StorageFile> {
    return this.#file(path);
  }

  async createFile(path: string): Promise<StorageFile> {
    const file = new MemoryFile();
    this.#put(path, file);
    return file;
  }

  async rename(from: string, to: string): Promise<void> {
    if (this.#directories.has(from)) return this.#renameDirectory(from, to);
    this.#put(to, this.#file(from));
    await this.remove(from);
  }

  async link(from: string, to: string): Promise<void> {
    const { directory, name } = split(to);
    if (this.#directories.get(directory)?.has(name)) {
      throw Object.assign(new Error(`file already exists: ${to}`), { code: "EEXIST" });
    }
    this.#put(to, this.#file(from));
  }

  async remove(path: string): Promise<void> {
    const { directory, name } = split(path);
    this.#directories.get(directory)?.delete(name);
  }

  async removeDirectory(path: string): Promise<void> {
    await this.remove(path);
    for (const directory of this.#within(path)) this.#directories.delete(directory);
  }

  async watch(path: string, changed: () => void): Promise<() => void> {
    const { watchers } = this.#file(path);
    watchers.add(changed);
    return () => watchers.delete(changed);
  }

  #renameDirectory(from: string, to: string): void {
    if ((this.#directories.get(to)?.size ?? 0) > 0) {
      throw Object.assign(new Error(`directory not empty: ${to}`), { code: "ENOTEMPTY" });
    }
    for (const directory of this.#within(from)) {
      this.#directories.set(to + directory.slice(from.length), this.#directories.get(directory)!);
      this.#directories.delete(directory);
    }
    const [old, now] = [split(from), split(to)];
    this.#directories.get(old.directory)?.delete(old.name);
    this.#directories.get(now.directory)?.set(now.name, "directory");
  }

  #within(path: string): string[] {
    return [...this.#directories.keys()].filter((each) => each === path || each.startsWith(`${path}/`));
  }

  #put(path: string, file: MemoryFile): void {
    const { directory, name } = split(path);
    const entries = this.#directories.get(directory);
    if (entries === undefined) throw notFound(directory);
    entries.set(name, file);
  }

  #file(path: string): MemoryFile {
    const { directory, name } = split(path);
    const file = this.#directories.get(directory)?.get(name);
    if (file === undefined || file === "directory") throw notFound(path);
    return file;
  }
}

function split(path: string): { directory: string; name: string } {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? { directory: "", name: path } : { directory: path.slice(0, slash), name: path.slice(slash + 1) };
}

function notFound(path: string): Error {
  return Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
}

class MemoryFile implements StorageFile {
  readonly watchers = new Set<() => void>();
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
    for (const changed of this.watchers) setImmediate(changed);
    if (pacer.isDue) await pacer.pause();
  }

  async sync(): Promise<void> {}

  async truncate(size: number): Promise<void> {
    this.#size = Math.min(this.#size, size);
  }

  async hold(): Promise<FileHold> {
    return { descriptor: undefined, release() {} };
  }

  async close(): Promise<void> {}

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(size, this.#bytes.length + Math.min(this.#bytes.length, MAX_GROWTH_BYTES)));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}
