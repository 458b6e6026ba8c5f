/**
 * An engine without files: a test of the interfaces, and an example for authors of engines. All
 * that it stores is lost with the process.
 */
import { randomBytes } from "node:crypto";
import { startInterval, type Timer } from "@logstore/codec";
import type { DurableMap } from "../engine/durable-map.js";
import type { Engine } from "../engine/engine.js";
import type { JournalStore } from "../engine/journal-store.js";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import type { TopicCatalogue } from "../engine/topic-catalogue.js";
import { MemoryCatalogue } from "./memory-catalogue.js";
import { MemoryHome } from "./memory-home.js";
import { MemoryJournalStore } from "./memory-journal-store.js";
import { MEMORY_DURABILITIES } from "./memory-log.js";

/** Records are deleted even if no append applies the limits. */
const RETENTION_INTERVAL_MS = 60_000;

/** Keeps topics, records and groups in memory, without files. */
export class MemoryEngine implements Engine {
  readonly name = "memory";
  readonly catalogue: TopicCatalogue;
  readonly map: DurableMap;
  readonly journal: JournalStore;
  readonly maxBatchBytes = STORED_BATCH_LIMITS.maxBatchBytes;
  readonly durabilities = MEMORY_DURABILITIES;
  readonly failure = undefined;
  readonly #catalogue: MemoryCatalogue;
  readonly #retention: Timer;
  #healthChanged = () => {};

  /**
   * @param home several engines may share one. Default: a new one
   * @param broker name of the broker, which has a journal of its own
   */
  constructor(home = new MemoryHome(), broker = "broker") {
    this.#catalogue = new MemoryCatalogue(home, () => this.#healthChanged());
    this.catalogue = this.#catalogue;
    this.map = home.map;
    this.journal = new MemoryJournalStore(home.journal(broker));
    this.#retention = startInterval(RETENTION_INTERVAL_MS, () => home.applyRetention(), { keepsAlive: false });
  }

  onHealth(changed: () => void): void {
    this.#healthChanged = changed;
  }

  now(): number {
    return Date.now();
  }

  randomHex(byteCount: number): string {
    return randomBytes(byteCount).toString("hex");
  }

  async close(): Promise<void> {
    this.#retention.cancel();
    this.#catalogue.close();
  }
}
