/**
 * Limits on the number of topics, partitions and snapshots in a data directory. Growth beyond a
 * limit is refused; existing topics are served even if a limit was lowered below their number.
 */
import {
  checkArgument,
  InvalidArgumentError,
  MIN_BATCH_LENGTH,
  nested,
  type OptionRules,
  ResourceLimitExceededError,
  wholeNumber,
} from "@logstore/codec";
import { MAX_SEGMENT_BYTES } from "../../store/options.js";

/** Limits of a data directory, and of the configuration of topics. */
export interface TopicLimits {
  /** Number of topics, including those that could not be opened. Default 20,000. */
  readonly maxTopics?: number | undefined;
  /** Number of partitions of all topics. Default 100,000. */
  readonly maxPartitions?: number | undefined;
  /** Number of snapshots of all topics, including deleted topics. Default 10,000. */
  readonly maxSnapshots?: number | undefined;
  /**
   * Smallest `segmentBytes` that a topic can be configured with, in bytes. Small segments make many
   * files. Default: 75, the smallest valid value.
   */
  readonly minSegmentBytes?: number | undefined;
}

/** Limits of all topics together. */
export interface TopicLimitOptions {
  readonly topicLimits?: TopicLimits | undefined;
}

const rules: OptionRules<TopicLimits> = {
  maxTopics: wholeNumber(),
  maxPartitions: wholeNumber(),
  maxSnapshots: wholeNumber(),
  minSegmentBytes: wholeNumber({ min: MIN_BATCH_LENGTH, max: MAX_SEGMENT_BYTES }),
};

const kinds = ["topics", "partitions", "snapshots"] as const;
type Kind = (typeof kinds)[number];
type Held = Readonly<Partial<Record<Kind, number>>>;

const optionOf = {
  topics: "maxTopics",
  partitions: "maxPartitions",
  snapshots: "maxSnapshots",
} as const satisfies Record<Kind, keyof TopicLimits>;

export class TopicTotals {
  readonly #minSegmentBytes: number;
  readonly #limits: Readonly<Record<Kind, number>>;
  readonly #held: Record<Kind, number> = { topics: 0, partitions: 0, snapshots: 0 };

  /** @throws InvalidArgumentError */
  constructor({ topicLimits = {} }: TopicLimitOptions = {}) {
    checkArgument("broker", "topicLimits", topicLimits, nested(rules));
    const { maxTopics = 20_000, maxPartitions = 100_000, maxSnapshots = 10_000 } = topicLimits;
    this.#limits = { topics: maxTopics, partitions: maxPartitions, snapshots: maxSnapshots };
    this.#minSegmentBytes = topicLimits.minSegmentBytes ?? MIN_BATCH_LENGTH;
  }

  /**
   * @param segmentBytes the new configuration of a topic; not checked if it is not a number
   * @throws InvalidArgumentError
   */
  checkSegmentBytes(segmentBytes: number | null | undefined): void {
    const expected = this.#minSegmentBytes;
    if (typeof segmentBytes !== "number" || segmentBytes >= expected) return;
    throw new InvalidArgumentError(
      `segmentBytes of a topic must be at least ${expected} on this broker, not ${segmentBytes}`,
      {
        expected,
        actual: segmentBytes,
      },
    );
  }

  /** Counts existing topics, without checking the limits. */
  add(held: Held): void {
    for (const kind of kinds) this.#held[kind] += held[kind] ?? 0;
  }

  /** Counts what was removed. */
  remove(held: Held): void {
    // A snapshot that was copied there by hand was never counted.
    for (const kind of kinds) this.#held[kind] = Math.max(0, this.#held[kind] - (held[kind] ?? 0));
  }

  /**
   * Counts what is about to be created.
   *
   * @throws ResourceLimitExceededError; then nothing is counted
   */
  reserve(topic: string, more: Held): void {
    for (const kind of kinds) {
      const [wanted, limit] = [this.#held[kind] + (more[kind] ?? 0), this.#limits[kind]];
      if (!more[kind] || wanted <= limit) continue;
      throw new ResourceLimitExceededError(
        `${kind} are limited to ${limit}, and this would make them ${wanted}: delete topics or snapshots that are not needed, or raise ${optionOf[kind]}`,
        { topic, expected: limit, actual: wanted },
      );
    }
    this.add(more);
  }
}
