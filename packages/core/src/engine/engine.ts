/**
 * The interface of an engine, which stores the partitions, topics and groups of a broker. See
 * docs/engines.md.
 */
import type { LogStoreError } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import type { Cluster } from "./cluster.js";
import type { DurableMap } from "./durable-map.js";
import type { JournalStore } from "./journal-store.js";
import type { Topic, TopicCatalogue } from "./topic-catalogue.js";

/** An open engine. A broker closes the engine on which it was opened. */
export interface Engine<T extends Topic = Topic> {
  /** For messages: "files", "memory". */
  readonly name: string;
  /** The topics. */
  readonly catalogue: TopicCatalogue<T>;
  /** Blocks of producer ids, and the engine's own state. */
  readonly map: DurableMap;
  /** The changes of the consumer groups. */
  readonly journal: JournalStore;
  /**
   * The brokers that share the partitions. Undefined: this broker owns all of them, and the only
   * journal.
   */
  readonly cluster?: Cluster | undefined;
  /** Largest batch that the engine can store, in bytes, whatever the configuration of a topic. */
  readonly maxBatchBytes: number;
  /**
   * The durabilities that an append may request, weakest first. Appends to the journal use the
   * strongest one.
   */
  readonly durabilities: readonly Durability[];
  /** Why the engine accepts no writes any more; undefined if it does. */
  readonly failure: LogStoreError | undefined;

  /**
   * Why the engine can store nothing at present, for example because its cluster has no quorum;
   * undefined if it can. Unlike a failure, this passes by itself.
   */
  readonly unavailable?: LogStoreError | undefined;

  /**
   * Registers a callback for changes of `failure` and `unavailable`, for failures of a log, and for
   * damage that is found.
   */
  onHealth(changed: () => void): void;

  /** ms since the epoch. */
  now(): number;
  /** Random bytes as hex digits, two per byte. */
  randomHex(byteCount: number): string;

  /** Closes the engine itself. Topics and the groups' log are closed before. */
  close(): Promise<void>;
}
