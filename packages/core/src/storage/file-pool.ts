/**
 * A storage that limits the number of open files, however many are in use: when the limit is
 * reached, the least recently used file is closed, and it is reopened on its next use. Users of a
 * file do not notice.
 *
 * A file with unsynced writes is synced before it is closed, because only the descriptor that wrote
 * the data reliably reports a write-back error. If that sync fails, the next use of the file fails.
 *
 * Everything in a store's directory is created through its pool. If the pool has locked a
 * directory, it creates files only in directories that are still those that were opened; see
 * directory-guard.ts.
 */
import { BufferFullError } from "@logstore/codec";
import { tell } from "../hooks/hooks.js";
import { OnceAMinute, outOfDescriptors, type WarnedEvent } from "../hooks/warnings.js";
import { DescriptorSlots } from "./descriptor-slots.js";
import { DirectoryGuard, type GuardedStorage } from "./directory-guard.js";
import { noteAttempt } from "./io-trouble.js";
import { type FileSlots, PooledFile } from "./pooled-file.js";
import type { FileAccess, FileHold, Lock, Storage, StorageFile } from "./storage.js";

export class FilePool implements GuardedStorage, FileSlots {
  readonly guard: DirectoryGuard;
  readonly #inner: Storage;
  readonly #slots: DescriptorSlots;
  readonly #mostHeld: number;
  #held = 0;

  readonly #root: string;
  readonly #warned: ((event: WarnedEvent) => void) | undefined;
  readonly #descriptorWarning = new OnceAMinute();
  readonly #clockWarning = new OnceAMinute();

  /**
   * @param root the directory of the store or broker; errors name files relative to it
   * @param warned called when the system has no more file descriptors
   */
  constructor(inner: Storage, maxOpenFiles: number, root = "", warned?: (event: WarnedEvent) => void) {
    this.#root = root;
    this.#warned = warned;
    this.#inner = inner;
    this.guard = new DirectoryGuard(this);
    this.#slots = new DescriptorSlots(maxOpenFiles, (code, openFiles) => this.#warnOfDescriptors(code, openFiles));
    this.#mostHeld = maxOpenFiles;
  }

  now(): number {
    return this.#inner.now();
  }

  checkOwner(): void {
    this.guard.check();
  }

  /**
   * Whether a warning about a clock that is behind is due. All partitions share the clock, and one
   * warning covers all of them.
   */
  isClockWarningDue(): boolean {
    return this.#clockWarning.isDue();
  }

  /** Records which operation on which file failed. Returns the error. */
  note(error: unknown, doing: string, path: string): unknown {
    const root = `${this.#root}/`;
    noteAttempt(error, doing, path.startsWith(root) ? path.slice(root.length) : path);
    return error;
  }

  randomHex(length: number): string {
    return this.#inner.randomHex(length);
  }

  /** A pool guards one directory, until its lock is released. */
  async lock(directory: string): Promise<Lock> {
    const lock = await this.#try("locking", directory, () => this.#inner.lock(directory));
    try {
      await this.guard.begin(directory, lock);
    } catch (error) {
      this.guard.end();
      await lock.release().catch(() => {});
      throw error;
    }
    const release = async () => {
      this.guard.end();
      await lock.release();
    };
    return { check: () => this.guard.check(), release };
  }

  async list(directory: string): Promise<string[] | undefined> {
    const names = await this.#forNow("listing", directory, () => this.#inner.list(directory));
    if (names !== undefined) await this.guard.learn(directory);
    return names;
  }

  makeParents(path: string): Promise<void> {
    return this.#forNow("making the directories above", path, () => this.#inner.makeParents(path));
  }

  async makeDirectory(path: string): Promise<void> {
    await this.guard.checkParent(path);
    await this.guard.checkDirectory(path);
    await this.#forNow("making", path, () => this.#inner.makeDirectory(path));
    await this.guard.learn(path);
  }

  identify(directory: string): Promise<string | undefined> {
    return this.#try("looking at", directory, () => this.#inner.identify(directory));
  }

  async syncDirectory(path: string): Promise<void> {
    await this.guard.checkDirectory(path);
    await this.#forNow("making durable", path, () => this.#inner.syncDirectory(path));
  }

  async openFile(path: string, access: FileAccess): Promise<StorageFile> {
    const file = new PooledFile(this, path, access);
    file.opened(await this.openSlot("opening", path, () => this.#inner.openFile(path, access)));
    return file;
  }

  async createFile(path: string): Promise<StorageFile> {
    await this.guard.checkParent(path);
    const file = new PooledFile(this, path, "write");
    file.opened(await this.openSlot("creating", path, () => this.#inner.createFile(path)));
    return file;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.guard.checkParent(to);
    await this.#try(`renaming ${nameOf(from)} to`, to, () => this.#inner.rename(from, to));
    this.guard.renamed(from, to);
  }

  async link(from: string, to: string): Promise<void> {
    await this.guard.checkParent(to);
    await this.#try(`linking ${nameOf(from)} to`, to, () => this.#inner.link(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#try("removing", path, () => this.#inner.remove(path));
  }

  async removeDirectory(path: string): Promise<void> {
    await this.#forNow("removing", path, () => this.#inner.removeDirectory(path));
    this.guard.removed(path);
  }

  watch(path: string, changed: () => void): Promise<() => void> {
    return this.#inner.watch(path, changed);
  }

  /** @throws BufferFullError if as many descriptors are held as may be open */
  async hold(path: string, access: FileAccess): Promise<FileHold> {
    if (this.#held >= this.#mostHeld) {
      throw new BufferFullError(`${this.#held} slices are held, and no more may be: release those that are done with`, {
        expected: this.#mostHeld,
        actual: this.#held,
      });
    }
    this.#held++;
    try {
      const file = await this.#try("opening", path, () => this.#inner.openFile(path, access));
      const { descriptor } = await file.hold();
      let isHeld = true;
      const release = () => {
        if (!isHeld) return;
        isHeld = false;
        this.#held--;
        void file.close().catch(() => {});
      };
      return { descriptor, release };
    } catch (error) {
      this.#held--;
      throw error;
    }
  }

  /** Reopens a file that was closed temporarily. */
  reopen(path: string, access: FileAccess): Promise<StorageFile> {
    return this.openSlot("opening", path, () => this.#inner.openFile(path, access));
  }

  /** @param open opens the file; called once a slot is free */
  openSlot<T>(doing: string, path: string, open: () => Promise<T>): Promise<T> {
    return this.#try(doing, path, () => this.#slots.open(open));
  }

  idle(file: PooledFile): Promise<void> {
    return this.#slots.idle(file);
  }

  wasUsed(file: PooledFile): void {
    this.#slots.wasUsed(file);
  }

  busy(file: PooledFile): void {
    this.#slots.busy(file);
  }

  freeSlot(): void {
    this.#slots.free();
  }

  /** An operation that opens a file and closes it again. */
  async #forNow<T>(doing: string, path: string, work: () => Promise<T>): Promise<T> {
    const result = await this.openSlot(doing, path, work);
    this.freeSlot();
    return result;
  }

  /** An operation that keeps no file open. */
  async #try<T>(doing: string, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.note(error, doing, path);
    }
  }

  #warnOfDescriptors(code: string, openFiles: number): void {
    const warned = this.#warned;
    if (warned === undefined || !this.#descriptorWarning.isDue()) return;
    tell(() => warned(outOfDescriptors(code, openFiles)));
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
