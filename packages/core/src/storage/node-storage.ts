/** Files of the operating system, through Node. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { link, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { lockDirectory } from "./directory-lock.js";
import type { FileAccess, FileHold, Lock, Storage, StorageFile } from "./storage.js";
import { SyncPlace } from "./sync-in-place.js";

/**
 * Up to this much is written in place: the page cache takes it in some tens of microseconds, less than it costs to have
 * another thread do it and to wait for that. See docs/decisions/0005-small-writes-in-place.md.
 */
const WRITE_IN_PLACE_BYTES = 128 * 1024;

/** One for all files: they share the event loop. */
const place = new SyncPlace();

const openDescriptor = promisify(fs.open);
const closeDescriptor = promisify(fs.close);
const readDescriptor = promisify(fs.read);
const writeVector = promisify(fs.writev);
const syncData = promisify(fs.fdatasync);
const truncateDescriptor = promisify(fs.ftruncate);
const statDescriptor = promisify(fs.fstat);

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

  async makeDirectory(path: string): Promise<void> {
    const whole = resolve(path);
    const firstMade = await mkdir(whole, { recursive: true });
    if (firstMade === undefined) return this.syncDirectory(dirname(whole)); // whoever made it may not have come to that
    for (let made = whole; made.length >= firstMade.length; made = dirname(made)) {
      await this.syncDirectory(dirname(made));
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
    if (process.platform === "win32") return; // directories cannot be opened there; NTFS journals their entries itself
    const directory = await open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async openFile(path: string, access: FileAccess): Promise<StorageFile> {
    return new NodeFile(await openDescriptor(path, access === "read" ? "r" : "r+"));
  }

  async createFile(path: string): Promise<StorageFile> {
    return new NodeFile(await openDescriptor(path, "w+"));
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

class NodeFile implements StorageFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  async size(): Promise<number> {
    return (await statDescriptor(this.#descriptor)).size;
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
    const inPlace = buffers.reduce((sum, buffer) => sum + buffer.length, 0) <= WRITE_IN_PLACE_BYTES;
    let rest = buffers;
    let at = position;
    for (;;) {
      let written = inPlace
        ? writeInPlace(this.#descriptor, rest, at)
        : (await writeVector(this.#descriptor, rest, at)).bytesWritten;
      at += written;
      // A short write is legal: go on after what was taken. The next call says why, if there is a reason.
      let i = 0;
      while (i < rest.length && written >= rest[i]!.length) written -= rest[i++]!.length;
      if (i === rest.length) return;
      rest = [rest[i]!.subarray(written), ...rest.slice(i + 1)];
    }
  }

  sync(): Promise<void> {
    return place.sync(
      this,
      () => fs.fdatasyncSync(this.#descriptor),
      () => syncData(this.#descriptor),
    );
  }

  truncate(size: number): Promise<void> {
    return truncateDescriptor(this.#descriptor, size);
  }

  async hold(): Promise<FileHold> {
    return { descriptor: this.#descriptor, release() {} };
  }

  close(): Promise<void> {
    return closeDescriptor(this.#descriptor);
  }
}

function writeInPlace(descriptor: number, buffers: readonly Uint8Array[], position: number): number {
  const [first] = buffers;
  if (first === undefined || buffers.length > 1) return fs.writevSync(descriptor, buffers, position);
  return fs.writeSync(descriptor, first, 0, first.length, position);
}
