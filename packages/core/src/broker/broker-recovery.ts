/** What a broker reports of its opening. */
import type { LogStoreError } from "@logstore/codec";
import type { RecoveryReport } from "../store/store-health.js";
import type { BrokerParts } from "./open-broker.js";
import type { UnreadableSnapshot } from "./snapshots/snapshot-directories.js";

/** A topic's directory that could not be opened. The other topics are served. */
export interface UnreadableTopic {
  readonly directory: string;
  /** Undefined if not even the topic's name can be read. */
  readonly topic: string | undefined;
  readonly error: LogStoreError;
}

/** What opening a broker found, apart from what a clean close leaves. */
export interface BrokerRecovery {
  readonly partitions: readonly ({ readonly topic: string } & RecoveryReport)[];
  readonly unreadable: readonly UnreadableTopic[];
  readonly unreadableSnapshots: readonly UnreadableSnapshot[];
  /** Why consumer groups are unavailable; undefined if they are available. Topics are served. */
  readonly groups: LogStoreError | undefined;
}

export function recoveryOf({ lifecycle, groups, files }: BrokerParts): BrokerRecovery {
  const topics = files?.topics.list() ?? [];
  return {
    partitions: topics.flatMap(({ topic, store }) => store.recovery.map((each) => ({ topic, ...each }))),
    unreadable: lifecycle.topics.unreadable.map(({ location, topic, error }) => ({
      directory: location,
      topic,
      error,
    })),
    unreadableSnapshots: files?.snapshots.unreadable ?? [],
    groups: groups.failure,
  };
}
