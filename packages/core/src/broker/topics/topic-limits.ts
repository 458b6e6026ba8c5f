/**
 * How many topics, partitions and snapshots a data directory may hold. Growth beyond a limit is
 * refused; what is over a limit already, since it was lowered, is opened and served.
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

/** How much a data directory may hold, and what topics may be configured to. */
export interface TopicLimits {
  /** Topics, also those that could not be opened. Default 20,000. */
  readonly maxTopics?: number | undefined;
  /** Partitions of all topics. Default 100,000. */
  readonly maxPartitions?: number | undefined;
  /** Snapshots of all topics, also of those that were deleted. Default 10,000. */
  readonly maxSnapshots?: number | undefined;
  /**
   * Least `segmentBytes` that a topic may be created with or altered to, bytes. Each segment is a
   * few files: small ones make many. Default: the least that there may be at all, 75.
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
   * @param segmentBytes that a topic is to be configured to, if it is
   * @throws InvalidArgumentError
   */
  checkSegmentBytes(segmentBytes: number | null | undefined): void {
    const expected = this.#minSegmentBytes;
    if (typeof segmentBytes !== "number" || segmentBytes >= expected) return;
    throw new InvalidArgumentError(`segmentBytes of a topic is ${expected} at least here, not ${segmentBytes}`, {
      expected,
      actual: segmentBytes,
    });
  }

  /** Counts what there is, whatever the limits. */
  add(held: Held): void {
    for (const kind of kinds) this.#held[kind] += held[kind] ?? 0;
  }

  /** It is no longer there. */
  remove(held: Held): void {
    // Snapshots that a person put there since were never counted.
    for (const kind of kinds) this.#held[kind] = Math.max(0, this.#held[kind] - (held[kind] ?? 0));
  }

  /**
   * Counts what is about to be made.
   *
   * @throws ResourceLimitExceededError, and nothing is counted
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
