/**
 * A storage that keeps no more than so many files open, however many are in use: the one that
 * nobody has used for longest is closed when another is needed, and opened again when it is. Who
 * uses a file notices nothing of it.
 *
 * A file with writes that were not synced is synced before it is closed: only the descriptor
 * through which it was written is sure to be told of an error. Where that sync fails, the file
 * fails for whoever uses it next.
 *
 * Everything in a store's directory is made through its pool. Where the pool has a directory
 * locked, it makes nothing in one that is not the one that was opened: see directory-guard.ts.
 */
import { BufferFullError } from "@logstore/codec";
import { tell } from "../hooks/hooks.js";
import { OnceAMinute, outOfDescriptors, type WarnedEvent } from "../hooks/warnings.js";
import { DirectoryGuard, type GuardedStorage } from "./directory-guard.js";
import { codeOf, noteAttempt } from "./io-trouble.js";
import { type FileSlots, PooledFile } from "./pooled-file.js";
import type { FileAccess, FileHold, Lock, Storage, StorageFile } from "./storage.js";

export class FilePool implements GuardedStorage, FileSlots {
  readonly guard: DirectoryGuard;
  readonly #inner: Storage;
  /** Less than was asked for, where the system allows fewer. */
  #maxOpenFiles: number;
  #openFiles = 0;
  readonly #mostHeld: number;
  #held = 0;
  /** Open, and used by nobody; the one that was used longest ago first. */
  readonly #idle = new Set<PooledFile>();
  /** Who waits until they may open a file. */
  readonly #waiting: (() => void)[] = [];

  readonly #root: string;
  readonly #warned: ((event: WarnedEvent) => void) | undefined;
  readonly #descriptorWarning = new OnceAMinute();
  readonly #clockWarning = new OnceAMinute();

  /**
   * @param root the directory of the store or broker: errors name files relative to it
   * @param warned told when the system has no more descriptors
   */
  constructor(inner: Storage, maxOpenFiles: number, root = "", warned?: (event: WarnedEvent) => void) {
    this.#root = root;
    this.#warned = warned;
    this.#inner = inner;
    this.guard = new DirectoryGuard(this);
    this.#maxOpenFiles = maxOpenFiles;
    this.#mostHeld = maxOpenFiles;
  }

  now(): number {
    return this.#inner.now();
  }

  checkOwner(): void {
    this.guard.check();
  }

  /** Whether a clock that is behind is to be told of: all partitions notice the same one. */
  isClockWarningDue(): boolean {
    return this.#clockWarning.isDue();
  }

  /** Notes what a call that failed was about. Returns the error. */
  note(error: unknown, doing: string, path: string): unknown {
    const root = `${this.#root}/`;
    noteAttempt(error, doing, path.startsWith(root) ? path.slice(root.length) : path);
    return error;
  }

  randomHex(length: number): string {
    return this.#inner.randomHex(length);
  }

  /** One directory a pool: it is guarded until the lock is let go of. */
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

  /** @throws BufferFullError where as many are held as may be open */
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

  /** Opens again a file that was closed meanwhile. */
  reopen(path: string, access: FileAccess): Promise<StorageFile> {
    return this.openSlot("opening", path, () => this.#inner.openFile(path, access));
  }

  /**
   * @param open what opens a file, once there is room for it; again, where the system has none: the
   * rest of the process may use what it allows
   */
  async openSlot<T>(doing: string, path: string, open: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#takeSlot();
      try {
        return await open();
      } catch (error) {
        const isOut = TOO_MANY.has(codeOf(error));
        if (isOut) this.#warnOfDescriptors(codeOf(error));
        const isTooMany = isOut && this.#openFiles > 1;
        if (isTooMany) this.#maxOpenFiles = Math.min(this.#maxOpenFiles, this.#openFiles - 1);
        this.freeSlot();
        if (!isTooMany) throw this.note(error, doing, path);
      }
    }
  }

  /** A file that nobody uses from now on. */
  async idle(file: PooledFile): Promise<void> {
    if (this.#waiting.length === 0 && this.#openFiles <= this.#maxOpenFiles) {
      this.#idle.add(file);
      return;
    }
    await file.closeForNow();
    this.freeSlot();
  }

  busy(file: PooledFile): void {
    this.#idle.delete(file);
  }

  /** To be called when a file is closed: its place goes to whoever waits. */
  freeSlot(): void {
    const next = this.#openFiles > this.#maxOpenFiles ? undefined : this.#waiting.shift();
    if (next === undefined) this.#openFiles--;
    else next();
  }

  async #takeSlot(): Promise<void> {
    if (this.#openFiles < this.#maxOpenFiles) {
      this.#openFiles++;
      return;
    }
    const [oldest] = this.#idle;
    if (oldest === undefined) return new Promise((resolve) => this.#waiting.push(resolve));
    this.busy(oldest);
    await oldest.closeForNow(); // its place is ours
  }

  /** Something that opens files and closes them again. */
  async #forNow<T>(doing: string, path: string, work: () => Promise<T>): Promise<T> {
    const result = await this.openSlot(doing, path, work);
    this.freeSlot();
    return result;
  }

  /** Something that keeps nothing open. */
  async #try<T>(doing: string, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.note(error, doing, path);
    }
  }

  #warnOfDescriptors(code: string): void {
    const warned = this.#warned;
    if (warned === undefined || !this.#descriptorWarning.isDue()) return;
    tell(() => warned(outOfDescriptors(code, this.#openFiles - 1))); // the one that failed has a slot
  }
}

const TOO_MANY: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
