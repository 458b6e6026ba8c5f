/** A store on disk whose files a test can access, and ways to damage one. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LogStore } from "../src/index.js";
import { appendOneByOne, range } from "./records.js";
import { crashCopy, cutZeros, temporaryDirectory } from "./temporary-directory.js";

/** Three batches per segment. */
export const SEGMENT_BYTES = 250;
/** Length of each batch. */
export const BATCH = 78;
/** Offsets 0 to 10, each in a batch of its own; segments 0, 3, 6 and 9. */
export const RECORDS = 11;

export class DamagedStore {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** The store is closed, or in the state that a kill -9 leaves. */
  static async make({ closed = true, partitions = 1 } = {}): Promise<DamagedStore> {
    const directory = temporaryDirectory(existsSync("/dev/shm") ? "/dev/shm" : undefined);
    const store = await LogStore.open(directory, { partitions, segmentBytes: SEGMENT_BYTES });
    for (let partition = 0; partition < partitions; partition++) await appendOneByOne(store, values, partition);
    if (!closed) {
      const copy = crashCopy(directory);
      for (let partition = 0; partition < partitions; partition++) {
        for (const name of readdirSync(join(copy, String(partition)))) {
          if (name.endsWith(".log")) cutZeros(join(copy, String(partition), name));
        }
      }
      await store.close();
      return new DamagedStore(copy);
    }
    await store.close();
    return new DamagedStore(directory);
  }

  path(baseOffset: number, kind = "log"): string {
    return join(this.directory, "0", `${String(baseOffset).padStart(20, "0")}.${kind}`);
  }

  /** Replaces a file's bytes. */
  change(baseOffset: number, change: (bytes: Buffer) => Buffer, kind = "log"): void {
    writeFileSync(this.path(baseOffset, kind), change(readFileSync(this.path(baseOffset, kind))));
  }

  /** Flips a bit in the value of the n-th batch. */
  spoil(baseOffset: number, n: number, byte = BATCH - 1): void {
    this.change(baseOffset, (bytes) => flipped(bytes, n * BATCH + byte));
  }

  cut(baseOffset: number, size: number): void {
    truncateSync(this.path(baseOffset), size);
  }

  lose(...baseOffsets: number[]): void {
    for (const baseOffset of baseOffsets) rmSync(this.path(baseOffset));
  }

  /** Names of a partition's files with this suffix. */
  names(ending: string): string[] {
    return readdirSync(join(this.directory, "0"))
      .filter((name) => name.endsWith(ending))
      .sort();
  }
}

export function flipped(bytes: Buffer, byte: number): Buffer {
  bytes[byte]! ^= 0x40;
  return bytes;
}

/** All of the same length: `v00`. */
export const values = range(RECORDS, "").map((value) => `v${value.padStart(2, "0")}`);

/** The records that remain without these: `0 v00`. */
export function without(...lost: number[]): string[] {
  return values.map((value, offset) => `${offset} ${value}`).filter((_, offset) => !lost.includes(offset));
}
