/**
 * `watermarks`: the readable range of each partition, for readers in other processes. The writer
 * updates it in place before it acknowledges an append. It is never synced, and rewritten whenever
 * the store is opened for writing. docs/format/watermarks.md has the format.
 */
import { crc32c } from "@logstore/codec";
import { readWholeFile } from "../storage/atomic-file.js";
import type { Storage, StorageFile } from "../storage/storage.js";
import { writeTo } from "../storage/write-to.js";
import { WATERMARKS_FILE } from "./file-names.js";
import { writeInt64 } from "./write-int64.js";

const SLOT_LENGTH = 24;
const CRC_OFFSET = 16;

export interface Bounds {
  readonly logStart: number;
  readonly highWatermark: number;
}

export class Watermarks {
  readonly #file: StorageFile | undefined;

  private constructor(file: StorageFile | undefined) {
    this.#file = file;
  }

  /**
   * Writes the bounds of all partitions; those that are unknown keep their last value. If the write
   * fails, only readers in other processes are affected: they do not see new records.
   */
  static async open(storage: Storage, directory: string, all: readonly (Bounds | undefined)[]): Promise<Watermarks> {
    const path = `${directory}/${WATERMARKS_FILE}`;
    let file: StorageFile | undefined;
    try {
      file = await storage.openFile(path, "write").catch(() => storage.createFile(path));
      const before = all.includes(undefined) ? await readWatermarks(storage, directory) : [];
      await file.write(
        all.map((bounds, partition) => encodeSlot(bounds ?? before[partition])),
        0,
      );
      return new Watermarks(file);
    } catch {
      await file?.close().catch(() => {});
      return new Watermarks(undefined);
    }
  }

  /** Returns undefined if it is done. */
  set(partition: number, bounds: Bounds): Promise<void> | undefined {
    if (this.#file === undefined) return undefined;
    try {
      // After an error, the next update writes it again.
      return writeTo(this.#file, [encodeSlot(bounds)], partition * SLOT_LENGTH)?.catch(() => {});
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#file?.close().catch(() => {});
  }
}

/** Reads the bounds by partition; undefined for a partition whose entry is damaged or not set. */
export async function readWatermarks(storage: Storage, directory: string): Promise<(Bounds | undefined)[]> {
  const content = await readWholeFile(storage, `${directory}/${WATERMARKS_FILE}`);
  const count = Math.floor((content?.length ?? 0) / SLOT_LENGTH);
  return Array.from({ length: count }, (_, partition) => decodeSlot(content!, partition * SLOT_LENGTH));
}

/** Encodes unknown bounds as zeros, whose checksum does not match. */
function encodeSlot(bounds: Bounds | undefined): Uint8Array {
  const slot = Buffer.alloc(SLOT_LENGTH);
  if (bounds === undefined) return slot;
  const { logStart, highWatermark } = bounds;
  writeInt64(slot, logStart, 0);
  writeInt64(slot, highWatermark, 8);
  slot.writeUInt32LE(crc32c(slot, 0, CRC_OFFSET), CRC_OFFSET);
  return slot;
}

function decodeSlot(content: Uint8Array, at: number): Bounds | undefined {
  const slot = Buffer.from(content.buffer, content.byteOffset + at, SLOT_LENGTH);
  if (slot.readUInt32LE(CRC_OFFSET) !== crc32c(slot, 0, CRC_OFFSET)) return undefined;
  return { logStart: Number(slot.readBigUInt64LE(0)), highWatermark: Number(slot.readBigUInt64LE(8)) };
}
