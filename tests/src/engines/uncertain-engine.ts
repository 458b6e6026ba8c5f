/**
 * An engine whose calls often have an unknown outcome: it answers UNAVAILABLE, sometimes after and
 * sometimes before the call has taken effect.
 */
import { UnavailableError, writeServerHalf } from "@logstore/codec";
import {
  type DurableMap,
  type Engine,
  type JournalStore,
  type PartitionLog,
  type SharedCatalogue,
  type TopicCatalogue,
  TopicUnsettledError,
} from "@logstore/core/engine";
import { instead, wrapped } from "./wrapped-engine.ts";

export class Uncertainty {
  readonly #random: () => number;
  /** Number of lost answers, before and after the call had taken effect. */
  readonly lost = { before: 0, after: 0 };

  constructor(random: () => number) {
    this.#random = random;
  }

  engine(engine: Engine): Engine {
    return wrapped(engine, {
      log: (log) => this.#log(log),
      journalLog: (log) => this.#log(log),
      map: (map) => this.#map(map),
      catalogue: (catalogue) => this.#catalogue(catalogue),
      journal: (journal) => this.#journal(journal),
    });
  }

  /** Only `find` answers always: a broker that gets no answer from it is not opened. */
  #catalogue(catalogue: TopicCatalogue): TopicCatalogue {
    const shared = catalogue.shared as SharedCatalogue;
    return instead(catalogue, {
      shared: instead(shared, { lookUp: (topic) => this.#call(() => shared.lookUp(topic)) }),
      partitionCount: (found) => this.#call(() => catalogue.partitionCount(found)),
      open: (found) => this.#call(() => catalogue.open(found)),
      create: async (topic, ...request) => {
        try {
          return await this.#call(() => catalogue.create(topic, ...request));
        } catch (error) {
          throw error instanceof UnavailableError ? new TopicUnsettledError(topic, error) : error;
        }
      },
      alter: (topic, change) => this.#call(() => catalogue.alter(topic, change)),
      delete: (topic) => this.#call(() => catalogue.delete(topic)),
    });
  }

  #journal(journal: JournalStore): JournalStore {
    return instead(journal, {
      open: () => this.#call(() => journal.open()),
      make: () => this.#call(() => journal.make()),
      openSnapshot: async () => {
        const reader = await this.#call(() => journal.openSnapshot());
        return reader && instead(reader, { read: (...request) => this.#call(() => reader.read(...request)) });
      },
      replaceSnapshot: (write) => this.#call(() => journal.replaceSnapshot(write)),
    });
  }

  /** After a lost answer, the partition accepts no appends until the outcome is known. */
  #log(log: PartitionLog): PartitionLog {
    let unknownFor = 0;
    return instead(log, {
      appendBatches: async (bytes, options) => {
        if (unknownFor > 0) {
          unknownFor--;
          place(bytes);
          throw this.#unknown();
        }
        const fate = this.#fate();
        unknownFor = fate === undefined ? 0 : Math.floor(this.#random() * 3);
        if (fate === "before") {
          place(bytes);
          throw this.#unknown();
        }
        const appended = await log.appendBatches(bytes, options);
        if (fate === "after") throw this.#unknown();
        return appended;
      },
      deleteRecords: (offset) => this.#call(() => log.deleteRecords(offset)),
    });
  }

  #map(map: DurableMap): DurableMap {
    return instead(map, {
      get: (key) => this.#call(() => map.get(key)),
      compareAndSet: (key, value, revision) => this.#call(() => map.compareAndSet(key, value, revision)),
    });
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    const fate = this.#fate();
    if (fate === "before") throw this.#unknown();
    const result = await call();
    if (fate === "after") throw this.#unknown();
    return result;
  }

  #fate(): "before" | "after" | undefined {
    const fate = (["before", "after"] as const)[Math.floor(this.#random() * 7)];
    if (fate !== undefined) this.lost[fate]++;
    return fate;
  }

  #unknown(): UnavailableError {
    return new UnavailableError("the outcome is not known yet", { retryAfterMs: 1 });
  }
}

/** Modifies the bytes of an append like an engine that does not store them in the end. */
function place(bytes: Uint8Array): void {
  writeServerHalf(bytes, { baseOffset: 99, appendTime: Date.now(), flushedUpTo: 99 });
}
