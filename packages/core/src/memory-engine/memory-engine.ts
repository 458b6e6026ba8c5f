/**
 * An engine without files: a test of the interfaces, and an example for authors of engines. All
 * that it keeps is gone with the process.
 */
import { randomBytes } from "node:crypto";
import type { DurableMap, MapEntry } from "../engine/durable-map.js";
import type { Engine } from "../engine/engine.js";
import type { JournalStore, SnapshotReader, SnapshotSink } from "../engine/journal-store.js";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import type { TopicCatalogue } from "../engine/topic-catalogue.js";
import { MemoryCatalogue } from "./memory-catalogue.js";
import { MEMORY_DURABILITIES, MemoryLog } from "./memory-log.js";

class MemoryMap implements DurableMap {
  readonly #entries = new Map<string, MapEntry>();

  async get(key: string): Promise<MapEntry | undefined> {
    return this.#entries.get(key);
  }

  async compareAndSet(key: string, value: Uint8Array, revision: number): Promise<number | undefined> {
    if ((this.#entries.get(key)?.revision ?? 0) !== revision) return undefined;
    this.#entries.set(key, { value, revision: revision + 1 });
    return revision + 1;
  }
}

class MemoryJournalStore implements JournalStore {
  readonly location = "memory";
  #log: MemoryLog | undefined;
  #snapshot: Uint8Array | undefined;

  async open(): Promise<MemoryLog | undefined> {
    return this.#log;
  }

  async make(): Promise<MemoryLog> {
    this.#log ??= new MemoryLog(0, () => ({ maxBatchBytes: STORED_BATCH_LIMITS.maxBatchBytes }));
    return this.#log;
  }

  async openSnapshot(): Promise<SnapshotReader | undefined> {
    const snapshot = this.#snapshot;
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
    await write(async (pieces) => void written.push(...pieces));
    this.#snapshot = Buffer.concat(written);
  }

  async close(): Promise<void> {
    await this.#log?.close();
  }
}

/** Keeps topics, records and groups in memory, without files. */
export class MemoryEngine implements Engine {
  readonly name = "memory";
  readonly catalogue: TopicCatalogue = new MemoryCatalogue();
  readonly map: DurableMap = new MemoryMap();
  readonly journal: JournalStore = new MemoryJournalStore();
  readonly maxBatchBytes = STORED_BATCH_LIMITS.maxBatchBytes;
  readonly durabilities = MEMORY_DURABILITIES;
  readonly failure = undefined;

  /** Nothing fails in memory. */
  onHealth(): void {}

  now(): number {
    return Date.now();
  }

  randomHex(byteCount: number): string {
    return randomBytes(byteCount).toString("hex");
  }

  async close(): Promise<void> {}
}
