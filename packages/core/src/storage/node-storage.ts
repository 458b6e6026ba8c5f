/** The operating system's files, through `node:fs`. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { link, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { StorageFailedError } from "@logstore/codec";
import { lockDirectory } from "./directory-lock.js";
import { DIRECTORY_MODE, FILE_MODE } from "./modes.js";
import type { FileAccess, FileHold, Lock, Storage, StorageFile } from "./storage.js";
import { SyncPlace } from "./sync-in-place.js";

/**
 * Writes up to this size are made synchronously: the page cache takes them in some tens of
 * microseconds, which is less than the cost of handing them to another thread. See
 * docs/decisions/0005-small-writes-in-place.md.
 */
const WRITE_IN_PLACE_BYTES = 128 * 1024;

/**
 * Closing a file of up to this size takes microseconds, even if its name is gone and the last close
 * frees its blocks.
 */
const CLOSE_IN_PLACE_BYTES = 128 * 1024;

/** One for all files, because they share the event loop. */
const place = new SyncPlace();

const openDescriptor = promisify(fs.open);
const closeDescriptor = promisify(fs.close);
const readDescriptor = promisify(fs.read);
const writeVector = promisify(fs.writev);
const syncData = promisify(fs.fdatasync);
const syncAll = promisify(fs.fsync);
const truncateDescriptor = promisify(fs.ftruncate);

/**
 * The operating system's file system, through `node:fs`. Calls that find what they need in the
 * kernel's memory are made in place: they take a tenth of what it costs to hand them to another
 * thread.
 */
export class NodeStorage implements Storage {
  now(): number {
    return Date.now();
  }

  randomHex(length: number): string {
    return randomBytes(length).toString("hex");
  }

  lock(directory: string): Promise<Lock> {
    return lockDirectory(directory);
  }

  async makeParents(path: string): Promise<void> {
    const parent = dirname(resolve(path));
    const firstMade = await mkdir(parent, { recursive: true, mode: DIRECTORY_MODE });
    if (firstMade === undefined) return;
    for (let made = parent; made.length >= firstMade.length; made = dirname(made)) await this.#syncName(made);
  }

  async makeDirectory(path: string): Promise<void> {
    const whole = resolve(path);
    try {
      await mkdir(whole, { mode: DIRECTORY_MODE });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !(await stat(whole)).isDirectory()) throw error;
    }
    await this.#syncName(whole); // whoever created it may have crashed before its sync
  }

  async identify(directory: string): Promise<string | undefined> {
    try {
      const found = fs.statSync(directory, { bigint: true, throwIfNoEntry: false });
      return found && `${found.dev}:${found.ino}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
      throw error;
    }
  }

  /**
   * Makes the name of a directory durable. If its parent may not be read (mode 0711), does so as
   * far as possible.
   */
  async #syncName(directory: string): Promise<void> {
    try {
      await this.syncDirectory(dirname(directory));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
      await this.syncDirectory(directory); // journaling file systems commit the name with it
    }
  }

  async list(directory: string): Promise<string[] | undefined> {
    try {
      return await readdir(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async syncDirectory(path: string): Promise<void> {
    if (process.platform === "win32") return; // directories cannot be opened on Windows; NTFS journals their entries itself
    const directory = fs.openSync(path, "r"); // its caller has used the directory
    try {
      await syncAll(directory);
    } finally {
      fs.closeSync(directory);
    }
  }

  async openFile(path: string, access: FileAccess): Promise<StorageFile> {
    return new NodeFile(path, await openDescriptor(path, access === "read" ? "r" : "r+"));
  }

  async createFile(path: string): Promise<StorageFile> {
    return new NodeFile(path, await openDescriptor(path, "w+", FILE_MODE));
  }

  rename(from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  link(from: string, to: string): Promise<void> {
    return link(from, to);
  }

  remove(path: string): Promise<void> {
    return rm(path, { force: true });
  }

  removeDirectory(path: string): Promise<void> {
    return rm(path, { force: true, recursive: true });
  }

  async watch(path: string, changed: () => void): Promise<() => void> {
    const watcher = fs.watch(path, { persistent: false }, changed);
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  }
}

/**
 * The file's device and inode number are checked at most this often; in between, a sync checks only
 * that the name exists. Since Linux 6.13 the first write after a stat gives the file a fine-grained
 * timestamp, which made the next fdatasync take 80 µs longer on ext4.
 */
const IDENTIFY_INTERVAL_MS = 100;

class NodeFile implements StorageFile {
  readonly #path: string;
  readonly #descriptor: number;
  /** Undefined until it is first needed. */
  #identity: { readonly dev: bigint; readonly ino: bigint } | undefined;
  #identifiedAt = Number.NEGATIVE_INFINITY;
  /** Whether it is known to be short. */
  #isShort = false;

  constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  async size(): Promise<number> {
    const { size } = fs.fstatSync(this.#descriptor);
    this.#isShort = size <= CLOSE_IN_PLACE_BYTES;
    return size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const { bytesRead } = await readDescriptor(
        this.#descriptor,
        into,
        filled,
        into.length - filled,
        position + filled,
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    if (this.writeNow(buffers, position)) return;
    let at = position;
    for (let rest = buffers; rest.length > 0; ) {
      const { bytesWritten } = await writeVector(this.#descriptor, rest, at);
      at += bytesWritten;
      rest = restAfter(rest, bytesWritten);
    }
  }

  writeNow(buffers: readonly Uint8Array[], position: number): boolean {
    this.#isShort = false;
    let length = 0;
    for (const buffer of buffers) length += buffer.length;
    if (length > WRITE_IN_PLACE_BYTES) return false;
    let at = position;
    for (let rest = buffers; rest.length > 0; ) {
      const bytesWritten = writeInPlace(this.#descriptor, rest, at);
      at += bytesWritten;
      rest = restAfter(rest, bytesWritten);
    }
    return true;
  }

  async sync(): Promise<void> {
    await place.sync(
      this,
      () => fs.fdatasyncSync(this.#descriptor),
      () => syncData(this.#descriptor),
    );
    this.#checkName();
  }

  /**
   * Durable bytes are useless if nobody can find them: the file, its directory or its volume may
   * have been removed or replaced.
   */
  #checkName(): void {
    const now = performance.now();
    const isRecent = now - this.#identifiedAt < IDENTIFY_INTERVAL_MS;
    if (isRecent && fs.existsSync(this.#path)) return;
    this.#identity ??= fs.fstatSync(this.#descriptor, { bigint: true });
    const { dev, ino } = this.#identity;
    const found = fs.lstatSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (found?.ino !== ino || found.dev !== dev) {
      const what = found === undefined ? "gone" : "another file now";
      throw new StorageFailedError(
        `${this.#path} is ${what}: it was removed, unmounted or replaced while it was open`,
        { file: this.#path },
      );
    }
    this.#identifiedAt = now;
  }

  truncate(size: number): Promise<void> {
    return truncateDescriptor(this.#descriptor, size);
  }

  async hold(): Promise<FileHold> {
    return { descriptor: this.#descriptor, release() {} };
  }

  async close(): Promise<void> {
    if (this.#isShort) fs.closeSync(this.#descriptor);
    else await closeDescriptor(this.#descriptor);
  }
}

function writeInPlace(descriptor: number, buffers: readonly Uint8Array[], position: number): number {
  if (buffers.length > 1) return fs.writevSync(descriptor, buffers, position);
  const first = buffers[0]!;
  return fs.writeSync(descriptor, first, 0, first.length, position);
}

/**
 * What is left of the buffers after a write. A short write is allowed; if there is a reason for it,
 * the next call reports it.
 */
function restAfter(buffers: readonly Uint8Array[], bytesWritten: number): readonly Uint8Array[] {
  let left = bytesWritten;
  let i = 0;
  while (i < buffers.length && left >= buffers[i]!.length) left -= buffers[i++]!.length;
  return i === buffers.length ? [] : [buffers[i]!.subarray(left), ...buffers.slice(i + 1)];
}
