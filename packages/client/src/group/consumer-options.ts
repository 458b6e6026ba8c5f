import {
  abortSignal,
  checkOptions,
  durationMs,
  either,
  func,
  InvalidArgumentError,
  listOf,
  nonEmptyString,
  type OptionRules,
  oneOf,
  required,
  wholeNumber,
} from "@logstore/codec";
import type { AssignorName, TopicPartition } from "@logstore/protocol";
import { edgeOrTimeRule } from "../common/position.js";
import { serializerRule, valueRules } from "../common/value-format.js";
import type { RecordFormatOptions } from "../reader/consumer-record.js";
import type { SkippedRecords } from "../reader/partition-state.js";
import type { StartPolicy } from "./start-positions.js";

/** A topic that was deleted and created anew. */
export interface RecreatedTopic {
  readonly topic: string;
  readonly topicId: string;
  /** Id of the deleted topic. */
  readonly previousTopicId: string;
}

/** Options of `client.consumer()`: the group, and how its member reads. */
export interface ConsumerOptions<T = Uint8Array, K = Uint8Array> extends RecordFormatOptions<T, K> {
  /** Name of the group, whose members share the partitions. The rules for topic names apply. */
  readonly group: string;
  /**
   * Topic names, or patterns in which `*` matches any characters. Patterns also match topics that
   * are created later. A pattern that does not end in `.parked` does not match topics that do.
   */
  readonly topics: readonly string[];
  /**
   * Where reading begins in a partition without a committed offset; "none" makes that a
   * NoCommittedOffsetError. Default "earliest".
   */
  readonly from?: StartPolicy | undefined;
  /** "auto" commits processed records; with "manual" only `commit()` commits. Default "auto". */
  readonly commit?: "auto" | "manual" | undefined;
  /**
   * Interval between automatic commits, ms; Infinity: commit only when a partition is revoked and
   * at the end. Default 5,000.
   */
  readonly commitIntervalMs?: number | undefined;
  /**
   * Makes the member a static member. A member that joins with the same instance id within the
   * session timeout gets the same partitions, and no others move. The partitions also wait after a
   * `close()`; `close({ leave: true })` gives them to other members at once. Default: not a static
   * member.
   */
  readonly instanceId?: string | undefined;
  /** Name of the client for display, as in `describeGroup`. Default: none. */
  readonly clientId?: string | undefined;
  /**
   * Time without a heartbeat after which the group removes the member, ms. Default: the server's,
   * 45,000.
   */
  readonly sessionTimeoutMs?: number | undefined;
  /**
   * Time that the group waits for this member to revoke a partition before it removes the member,
   * ms. Default: the server's, 60,000.
   */
  readonly revokeTimeoutMs?: number | undefined;
  /**
   * How partitions are assigned. Default: the group's current assignor; "sticky" for a new group.
   */
  readonly assignor?: AssignorName | undefined;
  /**
   * Called when partitions were assigned to this member. Their records are delivered after it is
   * done. It may call `seek`.
   */
  readonly onAssigned?: ((partitions: readonly TopicPartition[]) => void | Promise<void>) | undefined;
  /**
   * Called when partitions are being revoked and none of their records is being processed any more.
   * After it is done they are committed and go to other members.
   */
  readonly onRevoked?: ((partitions: readonly TopicPartition[]) => void | Promise<void>) | undefined;
  /**
   * Called when partitions were lost, because the group did not hear from this member in time. They
   * may be assigned to other members already, and cannot be committed any more.
   */
  readonly onLost?: ((partitions: readonly TopicPartition[]) => void | Promise<void>) | undefined;
  /**
   * Called when records were skipped because the log does not have them any more: they were
   * deleted, by retention or `deleteRecords`, or lost to damage and removed by a repair. With
   * `from: "none"` this is an OffsetOutOfRangeError instead.
   */
  readonly onSkipped?: ((skipped: SkippedRecords) => void) | undefined;
  /**
   * Called when a topic of this member was deleted and created anew. Offsets that were committed
   * for the deleted topic do not count: reading begins where `from` says.
   */
  readonly onTopicRecreated?: ((recreated: RecreatedTopic) => void) | undefined;
  /** Ends the iteration when it aborts: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = wholeNumber({ min: 1, max: 2 ** 32 - 1 });
const rules: OptionRules<ConsumerOptions<unknown, unknown>> = {
  ...valueRules,
  key: serializerRule,
  group: required(nonEmptyString),
  topics: required(listOf(nonEmptyString)),
  from: either(oneOf("none"), edgeOrTimeRule),
  commit: oneOf("auto", "manual"),
  commitIntervalMs: durationMs({ min: 1 }),
  instanceId: nonEmptyString,
  clientId: nonEmptyString,
  sessionTimeoutMs: timeoutMs,
  revokeTimeoutMs: timeoutMs,
  assignor: oneOf("sticky", "range", "round-robin"),
  onAssigned: func,
  onRevoked: func,
  onLost: func,
  onSkipped: func,
  onTopicRecreated: func,
  signal: abortSignal,
};

/** @throws InvalidArgumentError */
export function checkConsumerOptions<T, K>(options: ConsumerOptions<T, K>): void {
  if (Object(options).assign !== undefined) {
    throw new InvalidArgumentError(
      "consumer: the group assigns partitions to its members: use client.reader({ assign }) to read given partitions",
    );
  }
  checkOptions<ConsumerOptions<unknown, unknown>>("consumer", options as ConsumerOptions<unknown, unknown>, rules);
}
