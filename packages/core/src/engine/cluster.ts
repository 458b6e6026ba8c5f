/**
 * Which broker owns what, on an engine whose partitions several brokers share. See docs/cluster.md.
 */
import type { JournalStore } from "./journal-store.js";

/** The broker that owns a partition or a journal. */
export interface Owner {
  /** `host:port` under which it is reached. */
  readonly address: string;
  /** Whether it is this broker. */
  readonly isSelf: boolean;
}

/** The brokers that share an engine's partitions and journals. */
export interface Cluster {
  /**
   * Journals of consumer groups, whose number never changes. Opening one whose owner is this broker
   * takes it over.
   */
  readonly journals: readonly JournalStore[];

  /** Returns the owner of a partition; undefined if none is known to be alive. */
  owner(topicId: string, partition: number): Owner | undefined;

  /** Returns the owner of a journal, by its index; undefined if none is known to be alive. */
  journalOwner(journal: number): Owner | undefined;

  /** The addresses of the other brokers that are alive. */
  readonly otherAddresses: readonly string[];

  /** Registers a callback for changes of owners, and for the end of this broker's own lease. */
  onChange(changed: () => void): void;

  /** Ends a standby: from then on this broker may own partitions and journals. */
  join(): Promise<void>;

  /**
   * Gives partitions and journals to the other brokers, if there are any; resolves after a bounded
   * time whether or not that succeeded.
   */
  drain(): Promise<void>;
}
