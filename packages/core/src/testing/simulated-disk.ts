/**
 * A disk in memory that fails in the ways real disks do, repeatably for each seed. A test runs a
 * log store on it, stops the machine at any call, chooses an outcome of the power cut, and opens
 * the store on what is left:
 *
 * ```ts
 * const disk = new SimulatedDisk({ seed: 1 });
 * const store = await LogStore.open("data", { storage: disk });
 * await store.append("k", "v");
 * const afterwards = disk.powerCut("tear");
 * const recovered = await LogStore.open("data", { storage: afterwards });
 * ```
 *
 * Only what was synced is sure to survive: a file's bytes if the file was synced, its name if the
 * directory was. It is a worst-case file system: each unsynced write and each unsynced name may
 * survive without the others.
 */
import type { FileAccess, Lock, Storage, StorageFile } from "../storage/storage.js";
import { DirectoryTree, SimulatedDirectory } from "./directory-tree.js";
import { Machine } from "./machine.js";
import { cutPower, type PowerCutOutcome } from "./power-cut.js";
import { Random } from "./random.js";
import { SimulatedFile } from "./simulated-file.js";
import { SimulatedLocks } from "./simulated-lock.js";
import { SimulatedOpenFile } from "./simulated-open-file.js";

/** Options of {@link SimulatedDisk}. */
export interface SimulatedDiskOptions {
  /** Seed of everything random. Default 1. */
  readonly seed?: number | undefined;
  /** Time of the clock until {@link SimulatedDisk.time} is set, in ms since the epoch. */
  readonly time?: number | undefined;
  /** A running clock in place of {@link SimulatedDisk.time}, for example `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/**
 * A disk in memory that stops, fails and loses unsynced data as real disks do, repeatably for each
 * seed.
 */
export class SimulatedDisk extends Machine implements Storage {
  /** The clock. It stands still, and may be set to any time. Not used with the option `clock`. */
  time: number;
  readonly #clock: (() => number) | undefined;
  #random: Random;
  #tree = new DirectoryTree();
  readonly #openFiles = new Set<StorageFile>();
  readonly #locks = new SimulatedLocks(this);

  constructor({ seed = 1, time = 1_700_000_000_000, clock }: SimulatedDiskOptions = {}) {
    super();
    this.time = time;
    this.#clock = clock;
    this.#random = new Random(seed);
  }

  /**
   * Stops the machine and starts it again.
   *
   * @param seed determines what the outcome leaves to chance
   * @returns the disk as found then; a repeated call returns another possible result
   */
  powerCut(outcome: PowerCutOutcome, seed = this.#random.seed()): SimulatedDisk {
    this.stop();
    const random = new Random(seed);
    return this.#copy(random, (tree, files) => cutPower(tree, files, outcome, random));
  }

  /**
   * The disk after kill -9: everything written can be read, but what was not synced may still be
   * lost in a power cut.
   */
  processKill(): SimulatedDisk {
    this.stop();
    return this.copy();
  }

  /**
   * A copy of this disk for another machine, without open files or locks. This disk continues to
   * run.
   */
  copy(): SimulatedDisk {
    return this.#copy(this.#random.copy());
  }

  /** Flips one bit of a file, counted from the lowest bit of its first byte: bit rot. */
  flipBit(path: string, bit: number): void {
    const file = this.#tree.file(path);
    const at = Math.floor(bit / 8);
    const byte = file.bytes.slice(at, at + 1);
    if (byte.length === 0) throw new RangeError(`${path} has ${file.size} bytes, and no bit ${bit}`);
    byte[0]! ^= 1 << (bit % 8);
    file.put(byte, at);
  }

  // What is visible.

  /** Paths of all files, sorted. */
  paths(): string[] {
    return this.#tree.paths();
  }

  /** The contents of a file, as a reader sees them. */
  content(path: string): Uint8Array {
    return this.#tree.file(path).bytes.slice();
  }

  /** The contents of a file that survive any power cut, if its name does. */
  durableContent(path: string): Uint8Array {
    const file = this.#tree.file(path).copy();
    for (const change of file.rollBack()) if (change.state === "durable") file.redo(change);
    return file.bytes.slice();
  }

  /** Puts a file in place, with durable bytes and a durable name, in an existing directory. */
  replaceContent(path: string, content: Uint8Array): void {
    const { directory, name } = this.#tree.parent(path);
    const file = new SimulatedFile();
    file.put(content, 0);
    this.#tree.change({ directory, name, after: file });
    this.#tree.syncNames(path);
  }

  get openFileCount(): number {
    return this.#openFiles.size;
  }

  // What an engine calls; see Storage.

  now(): number {
    return this.#clock?.() ?? this.time;
  }

  randomHex(length: number): string {
    return Buffer.from(this.#random.bytes(length)).toString("hex");
  }

  async lock(directory: string): Promise<Lock> {
    this.begin("lock", directory);
    return this.#locks.lock(this.#tree, directory);
  }

  async makeDirectory(path: string): Promise<void> {
    const call = this.begin("makeDirectory", path);
    this.#tree.makeDirectory(path);
    const upTo = this.#tree.changes;
    const { directory, name } = this.#tree.parent(path);
    await this.midway(call);
    this.#tree.sync(directory, upTo, name);
  }

  async makeParents(path: string): Promise<void> {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (this.#tree.find(parent) !== undefined) return;
    const call = this.begin("makeParents", path);
    this.#tree.makeParents(path);
    const upTo = this.#tree.changes;
    await this.midway(call);
    this.#tree.syncNames(parent, upTo);
  }

  async identify(directory: string): Promise<string | undefined> {
    this.begin("identify", directory);
    const node = this.#tree.find(directory);
    return node instanceof SimulatedDirectory ? String(node.id) : undefined;
  }

  async list(directory: string): Promise<string[] | undefined> {
    this.begin("list", directory);
    if (this.#tree.find(directory) === undefined) return undefined;
    return [...this.#tree.directory(directory).entries.keys()];
  }

  async syncDirectory(path: string): Promise<void> {
    const call = this.begin("syncDirectory", path);
    const directory = this.#tree.directory(path);
    const upTo = this.#tree.changes;
    await this.midway(call);
    this.#tree.sync(directory, upTo);
  }

  async openFile(path: string, access: FileAccess): Promise<StorageFile> {
    this.begin("openFile", path);
    return this.#open(this.#tree.file(path), path, access);
  }

  async createFile(path: string): Promise<StorageFile> {
    const call = this.begin("createFile", path);
    let file: SimulatedFile;
    if (this.#tree.find(path) === undefined) {
      file = new SimulatedFile();
      this.#tree.change({ ...this.#tree.parent(path), after: file });
    } else {
      file = this.#tree.file(path);
      if (file.size > 0) file.truncate(0);
    }
    await this.midway(call);
    return this.#open(file, path, "write");
  }

  async rename(from: string, to: string): Promise<void> {
    const call = this.begin("rename", to);
    this.#tree.rename(from, to);
    await this.midway(call);
  }

  async link(from: string, to: string): Promise<void> {
    const call = this.begin("link", to);
    this.#tree.link(from, to);
    await this.midway(call);
  }

  async remove(path: string): Promise<void> {
    const call = this.begin("remove", path);
    if (this.#tree.find(path) !== undefined) {
      this.#tree.file(path);
      this.#tree.remove(path);
    }
    await this.midway(call);
  }

  async removeDirectory(path: string): Promise<void> {
    const call = this.begin("removeDirectory", path);
    if (this.#tree.find(path) !== undefined) this.#tree.removeDirectory(path);
    await this.midway(call);
  }

  async watch(path: string, changed: () => void): Promise<() => void> {
    this.begin("watch", path);
    const { watchers } = this.#tree.file(path);
    watchers.add(changed);
    return () => watchers.delete(changed);
  }

  #open(file: SimulatedFile, path: string, access: FileAccess): StorageFile {
    const open: StorageFile = new SimulatedOpenFile(this, file, path, access, () => this.#openFiles.delete(open));
    this.#openFiles.add(open);
    return open;
  }

  #copy(random: Random, change?: (tree: DirectoryTree, files: readonly SimulatedFile[]) => void): SimulatedDisk {
    const copy = new SimulatedDisk({ time: this.time, clock: this.#clock });
    const { tree, files } = this.#tree.copy();
    change?.(tree, files);
    copy.#random = random;
    copy.#tree = tree;
    return copy;
  }
}
