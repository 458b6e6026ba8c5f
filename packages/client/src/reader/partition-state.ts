import { type ErrorFields, LogStoreError, sleep } from "@logstore/codec";
import { isEndKnown, type LogApi, type PartitionOffset, type Position, type TopicPartition } from "@logstore/protocol";
import { isRetriable, retryDelayMs } from "../common/retry.js";

const never = new AbortController().signal;

/**
 * Records that were skipped because the log does not have them any more: they were deleted, or lost
 * to damage.
 */
export interface SkippedRecords extends TopicPartition {
  /** Offset at which reading would have continued. */
  readonly from: number;
  /**
   * Offset at which reading continues: the nearest one in the log. It is below `from` if the log
   * has lost its end.
   */
  readonly to: number;
}

/** The progress of a reader in one partition. */
export class PartitionState {
  readonly topic: string;
  readonly partition: number;
  readonly #from: Position;
  readonly #until: Position | undefined;
  readonly #onSkipped: ((skipped: SkippedRecords) => void) | undefined;
  /**
   * Id of the topic that the positions belong to; undefined until it was looked up, empty if the
   * server reports none. Reading another topic of this name is an error.
   */
  topicId: string | undefined;
  /** The offset of the next record to be delivered; undefined until the start was resolved. */
  position: number | undefined;
  /**
   * Whether the application named the position as an offset: it is an error if the log does not
   * have it.
   */
  isExact: boolean;
  /** The offset at which reading ends; Infinity: it never ends; undefined until it was resolved. */
  end: number | undefined;
  /** The high watermark that the log reported last. */
  highWatermark: number | undefined;
  /** Append time of the batch at or before the position, ms since the epoch. */
  appendTime: number | undefined;

  constructor(
    topic: string,
    partition: number,
    from: Position,
    until: Position | undefined,
    onSkipped?: (skipped: SkippedRecords) => void,
  ) {
    this.#onSkipped = onSkipped;
    this.topic = topic;
    this.partition = partition;
    this.#from = from;
    this.#until = until;
    this.isExact = typeof from === "number";
    if (typeof from === "number") this.position = from;
    if (until === undefined) this.end = Infinity;
    else if (typeof until === "number") this.end = until;
  }

  get lag(): number | undefined {
    return this.lagFrom(this.position);
  }

  /** Number of records from an offset to the high watermark. */
  lagFrom(offset: number | undefined): number | undefined {
    if (this.highWatermark === undefined || offset === undefined) return undefined;
    return Math.max(0, this.highWatermark - offset);
  }

  /** Longest time that a record of the lag can have waited, ms; 0 if there is no lag. */
  get lagMs(): number | undefined {
    if (this.lag === 0) return 0;
    return this.appendTime && Math.max(0, Date.now() - this.appendTime);
  }

  /** Whether reading continues at the end of the log if that is before the position. */
  get mayGoBack(): boolean {
    return false;
  }

  /** Whether an error is waited out in addition to the retriable ones. */
  isPassing(_error: unknown): boolean {
    return false;
  }

  /**
   * Called when the log does not have the records between two offsets any more. If it throws, the
   * reading of the partition ends with that error.
   */
  skipped(from: number, to: number): void {
    this.#onSkipped?.({ topic: this.topic, partition: this.partition, from, to });
  }

  /** Moves the position to `offset`, unless it is later already. */
  advance(offset: number): void {
    this.position = Math.max(this.position!, offset);
  }

  /**
   * Returns the positions to resolve before reading starts, each with a function that takes the
   * result.
   */
  questions(): Question[] {
    const { partition } = this;
    const questions: Question[] = [];
    if (this.position === undefined) {
      questions.push({ partition, position: this.#from, answer: ({ offset }) => (this.position ??= offset) });
    }
    if (this.end === undefined) {
      // The end of a damaged log is unknown: reading goes on until it fails at the damage.
      const answer = (found: PartitionOffset) =>
        (this.end = isEndKnown(found) || found.offset < found.highWatermark ? found.offset : Infinity);
      questions.push({ partition, position: this.#until!, answer });
    }
    return questions;
  }

  /** Returns the error with topic and partition, unless it has them already. */
  place(error: unknown, fields: ErrorFields = {}): unknown {
    const { topic, partition } = this;
    if (!(error instanceof LogStoreError) || error.topic !== undefined) return error;
    return error.with({ topic, partition, ...fields });
  }
}

interface Question {
  readonly partition: number;
  readonly position: Position;
  readonly answer: (found: PartitionOffset) => void;
}

/**
 * Resolves every "earliest", "latest" and time to an offset, once, so that a reader that reconnects
 * does not start elsewhere. It also looks up the ids of topics.
 *
 * @throws InconsistentTopicIdError where a topic was deleted and created anew since its id was
 * looked up
 */
export async function resolvePositions(
  api: LogApi,
  states: readonly PartitionState[],
  isOver: () => boolean,
): Promise<void> {
  const byTopic = Map.groupBy(states, (state) => state.topic);
  const lookUp = async ([topic, states]: [string, PartitionState[]]) => {
    const questions = states.flatMap((state) => state.questions());
    const { topicId, partition } = states[0]!;
    if (questions.length === 0 && topicId !== undefined) return;
    const partitions = questions.map(({ partition, position }) => ({ partition, position }));
    if (partitions.length === 0) partitions.push({ partition, position: "earliest" }); // only the id is needed
    const ask = () => api.listOffsets({ topic, topicId, partitions });
    const answers = await (questions.length === 0 ? untilAnswered(ask, isOver) : ask());
    for (const state of states) state.topicId ??= answers[0]?.topicId ?? "";
    for (const [i, question] of questions.entries()) question.answer(answers[i]!);
  };
  await Promise.all(Array.from(byTopic, lookUp));
}

/**
 * Retries without a limit, as a reader does that has lost its connection: only the topic's id is
 * missing.
 */
async function untilAnswered<Answer>(ask: () => Promise<Answer>, isOver: () => boolean): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!isRetriable(error) || isOver()) throw error;
      await sleep(retryDelayMs(attempt, error), never);
    }
  }
}
