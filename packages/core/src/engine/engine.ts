/** An engine: what keeps the partitions, topics and groups of a broker. docs/engines.md. */
import type { LogStoreError } from "@logstore/codec";
import type { DurableMap } from "./durable-map.js";
import type { JournalStore } from "./journal-store.js";
import type { Topic, TopicCatalogue } from "./topic-catalogue.js";

/** An engine, opened. A broker closes the one that it is opened on. */
export interface Engine<T extends Topic = Topic> {
  /** For messages: "files", "memory". */
  readonly name: string;
  /** The topics. */
  readonly catalogue: TopicCatalogue<T>;
  /** Blocks of producer ids, and what the engine itself keeps in it. */
  readonly map: DurableMap;
  /** The consumer groups' changes. */
  readonly journal: JournalStore;
  /** Longest batch that the engine can keep, bytes, whatever a topic is configured to. */
  readonly maxBatchBytes: number;
  /** Why nothing at all is written any more, if so. */
  readonly failure: LogStoreError | undefined;

  /** Calls `changed` whenever a log, or the engine, failed or was found damaged. */
  onHealth(changed: () => void): void;

  /** ms since the epoch. */
  now(): number;
  /** Random bytes as hex digits, two a byte. */
  randomHex(byteCount: number): string;

  /** Closes what is not a topic's or the groups': they are closed before. */
  close(): Promise<void>;
}
