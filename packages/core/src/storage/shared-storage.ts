/** A storage whose operations wait for their turn in a share of the thread pool. */
import type { DirectoryGuard, GuardedStorage } from "./directory-guard.js";
import type { FileAccess, FileHold, Lock, StorageFile } from "./storage.js";
import type { ThreadShare } from "./thread-shares.js";

export class SharedStorage implements GuardedStorage {
  readonly #inner: GuardedStorage;
  readonly #share: ThreadShare;

  constructor(inner: GuardedStorage, share: ThreadShare) {
    this.#inner = inner;
    this.#share = share;
  }

  get guard(): DirectoryGuard {
    return this.#inner.guard;
  }

  isClockWarningDue(): boolean {
    return this.#inner.isClockWarningDue();
  }

  now(): number {
    return this.#inner.now();
  }

  randomHex(length: number): string {
    return this.#inner.randomHex(length);
  }

  lock(directory: string): Promise<Lock> {
    return this.#inner.lock(directory);
  }

  makeParents(path: string): Promise<void> {
    return this.#share.run(() => this.#inner.makeParents(path));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#share.run(() => this.#inner.makeDirectory(path));
  }

  identify(directory: string): Promise<string | undefined> {
    return this.#share.run(() => this.#inner.identify(directory));
  }

  list(directory: string): Promise<string[] | undefined> {
    return this.#share.run(() => this.#inner.list(directory));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#share.run(() => this.#inner.syncDirectory(path));
  }

  async openFile(path: string, access: FileAccess): Promise<StorageFile> {
    return new SharedFile(await this.#share.run(() => this.#inner.openFile(path, access)), this.#share);
  }

  async createFile(path: string): Promise<StorageFile> {
    return new SharedFile(await this.#share.run(() => this.#inner.createFile(path)), this.#share);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#share.run(() => this.#inner.rename(from, to));
  }

  link(from: string, to: string): Promise<void> {
    return this.#share.run(() => this.#inner.link(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#share.run(() => this.#inner.remove(path));
  }

  removeDirectory(path: string): Promise<void> {
    return this.#share.run(() => this.#inner.removeDirectory(path));
  }

  watch(path: string, changed: () => void): Promise<() => void> {
    return this.#inner.watch(path, changed);
  }
}

class SharedFile implements StorageFile {
  readonly #inner: StorageFile;
  readonly #share: ThreadShare;

  constructor(inner: StorageFile, share: ThreadShare) {
    this.#inner = inner;
    this.#share = share;
  }

  size(): Promise<number> {
    return this.#share.run(() => this.#inner.size());
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#share.run(() => this.#inner.read(into, position));
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    return this.#share.run(() => this.#inner.write(buffers, position));
  }

  /** Needs no thread. */
  writeNow(buffers: readonly Uint8Array[], position: number): boolean {
    return this.#inner.writeNow?.(buffers, position) ?? false;
  }

  sync(): Promise<void> {
    return this.#share.run(() => this.#inner.sync());
  }

  truncate(size: number): Promise<void> {
    return this.#share.run(() => this.#inner.truncate(size));
  }

  hold(): Promise<FileHold> {
    return this.#inner.hold();
  }

  close(): Promise<void> {
    return this.#share.run(() => this.#inner.close());
  }
}
