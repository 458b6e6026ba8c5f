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

/** A topic that was deleted and made again. */
export interface RecreatedTopic {
  readonly topic: string;
  readonly topicId: string;
  /** Id of the topic that the member had partitions of. */
  readonly previousTopicId: string;
}

/** Options of `client.consumer()`: the group, and how its member reads. */
export interface ConsumerOptions<T = Uint8Array, K = Uint8Array> extends RecordFormatOptions<T, K> {
  /** Members of the same group share the partitions. Formed like a topic's name. */
  readonly group: string;
  /**
   * Names, or patterns in which `*` stands for anything; topics that are made later are included.
   */
  readonly topics: readonly string[];
  /**
   * Where to begin in a partition that the group committed nothing for; "none" makes that an error.
   * Default "earliest".
   */
  readonly from?: StartPolicy | undefined;
  /** "auto" commits what was processed; with "manual" only `commit()` does. Default "auto". */
  readonly commit?: "auto" | "manual" | undefined;
  /**
   * ms between commits of what was processed meanwhile; Infinity: only at the end. Default 5,000.
   */
  readonly commitIntervalMs?: number | undefined;
  /**
   * A static member: who comes back with the same one within the session timeout gets its
   * partitions back, and nothing else moves. They wait for that, also when it was closed;
   * `close({ leave: true })` gives them to others at once.
   */
  readonly instanceId?: string | undefined;
  /** Who it is, for people. */
  readonly clientId?: string | undefined;
  /**
   * ms without a sign of life after which the group goes on without the member. Default: the
   * server's, 45,000.
   */
  readonly sessionTimeoutMs?: number | undefined;
  /**
   * ms that the group waits for a partition that is to move, before it takes everything from the
   * member. Default: 60,000.
   */
  readonly revokeTimeoutMs?: number | undefined;
  /** How partitions are shared out. Default: what the group has; "sticky" for a new one. */
  readonly assignor?: AssignorName | undefined;
  /**
   * These are the member's now; nothing of them is handed out before this is done. It may `seek`.
   */
  readonly onAssigned?: ((partitions: readonly TopicPartition[]) => void | Promise<void>) | undefined;
  /**
   * Nothing of these is worked on any more; when this is done, they are committed and go to
   * somebody else.
   */
  readonly onRevoked?: ((partitions: readonly TopicPartition[]) => void | Promise<void>) | undefined;
  /**
   * These are somebody else's already: the member was not heard of for too long. Nothing can be
   * committed any more.
   */
  readonly onLost?: ((partitions: readonly TopicPartition[]) => void | Promise<void>) | undefined;
  /**
   * Called when records were skipped, since they are not in the log any more: retention or somebody
   * deleted them, or they were lost to damage and a repair cut them out. With `from: "none"` that
   * is an error instead.
   */
  readonly onSkipped?: ((skipped: SkippedRecords) => void) | undefined;
  /**
   * Called when a topic that the member had partitions of was deleted, and another one made under
   * its name. What was committed for the old one does not count: reading begins where `from` says.
   */
  readonly onTopicRecreated?: ((recreated: RecreatedTopic) => void) | undefined;
  /** Ends the iteration by throwing the signal's reason. */
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
      "consumer: a group assigns the partitions of its members: use client.reader({ assign }) to read given ones",
    );
  }
  checkOptions<ConsumerOptions<unknown, unknown>>("consumer", options as ConsumerOptions<unknown, unknown>, rules);
}
