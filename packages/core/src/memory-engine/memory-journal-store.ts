/** The groups' journal in memory. */
import type { JournalStore, SnapshotReader, SnapshotSink } from "../engine/journal-store.js";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import type { StoredJournal } from "./memory-home.js";
import { MemoryLog } from "./memory-log.js";
import { MemoryPartition } from "./memory-partition.js";

export class MemoryJournalStore implements JournalStore {
  readonly location = "memory";
  readonly #stored: StoredJournal;
  #log: MemoryLog | undefined;

  constructor(stored: StoredJournal) {
    this.#stored = stored;
  }

  async open(): Promise<MemoryLog | undefined> {
    return this.#stored.log && this.#open(this.#stored.log);
  }

  async make(): Promise<MemoryLog> {
    this.#stored.log ??= new MemoryPartition(0);
    return this.#open(this.#stored.log);
  }

  async openSnapshot(): Promise<SnapshotReader | undefined> {
    const { snapshot } = this.#stored;
    if (snapshot === undefined) return undefined;
    const read = async (into: Uint8Array, position: number) => {
      const piece = snapshot.subarray(position, position + into.length);
      into.set(piece);
      return piece.length;
    };
    return { read, close: async () => {} };
  }

  async replaceSnapshot(write: (sink: SnapshotSink) => Promise<void>): Promise<void> {
    const written: Uint8Array[] = [];
    await write(async (pieces) => void written.push(...pieces.map((piece) => new Uint8Array(piece))));
    this.#stored.snapshot = Buffer.concat(written);
  }

  async close(): Promise<void> {
    await this.#log?.close();
    this.#log = undefined;
  }

  #open(records: MemoryPartition): MemoryLog {
    this.#log ??= new MemoryLog(records, () => ({ maxBatchBytes: STORED_BATCH_LIMITS.maxBatchBytes }));
    return this.#log;
  }
}
