import { type ErrorFields, LogStoreError, sleep } from "@logstore/codec";
import { isEndKnown, type LogApi, type PartitionOffset, type Position, type TopicPartition } from "@logstore/protocol";
import { isRetriable, retryDelayMs } from "../common/retry.js";

const never = new AbortController().signal;

/**
 * Records that a reader was to get and that are not in the log any more: they were deleted, or lost
 * to damage.
 */
export interface SkippedRecords extends TopicPartition {
  /** Offset at which reading was to go on. */
  readonly from: number;
  /**
   * Offset at which it goes on: the nearest one that is there. Below `from` where the log has lost
   * its end.
   */
  readonly to: number;
}

/** How far a consumer is in one partition. */
export class PartitionState {
  readonly topic: string;
  readonly partition: number;
  readonly #from: Position;
  readonly #until: Position | undefined;
  readonly #onSkipped: ((skipped: SkippedRecords) => void) | undefined;
  /**
   * Id of the topic that the positions are of; undefined until it was looked up, empty where the
   * server knows of none. Reading another topic of that name at these positions is an error.
   */
  topicId: string | undefined;
  /**
   * Offset of the next record to be delivered; undefined until the start position was looked up.
   */
  position: number | undefined;
  /** The caller named the position himself: when it is not there, he is told. */
  isExact: boolean;
  /** Nothing is delivered from here on; Infinity where there is no end. */
  end: number | undefined;
  /** As the log last told it. */
  highWatermark: number | undefined;
  /** Of the batch that the position is in or just left, ms since the epoch. */
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

  /** Records from an offset to the high watermark. */
  lagFrom(offset: number | undefined): number | undefined {
    if (this.highWatermark === undefined || offset === undefined) return undefined;
    return Math.max(0, this.highWatermark - offset);
  }

  /** How long the records of the lag have waited at most, ms: 0 where there are none. */
  get lagMs(): number | undefined {
    if (this.lag === 0) return 0;
    return this.appendTime && Math.max(0, Date.now() - this.appendTime);
  }

  /** Whether reading goes on at the log's end where that is before the position. */
  get mayGoBack(): boolean {
    return false;
  }

  /** Whether an error is to be waited out, beyond those that every reader waits out. */
  isPassing(_error: unknown): boolean {
    return false;
  }

  /**
   * Called when the log has no records between the two any more: they were deleted, or lost. What
   * it throws ends the reading of the partition.
   */
  skipped(from: number, to: number): void {
    this.#onSkipped?.({ topic: this.topic, partition: this.partition, from, to });
  }

  /** No record before `offset` is wanted or will come. */
  advance(offset: number): void {
    this.position = Math.max(this.position!, offset);
  }

  /** What has to be looked up before reading starts, each with where its answer goes. */
  questions(): Question[] {
    const { partition } = this;
    const questions: Question[] = [];
    if (this.position === undefined) {
      questions.push({ partition, position: this.#from, answer: ({ offset }) => (this.position ??= offset) });
    }
    if (this.end === undefined) {
      // Where a damaged log ends is not known: reading goes on until the damage ends it with its
      // error.
      const answer = (found: PartitionOffset) =>
        (this.end = isEndKnown(found) || found.offset < found.highWatermark ? found.offset : Infinity);
      questions.push({ partition, position: this.#until!, answer });
    }
    return questions;
  }

  /** The same error, with where it happened, unless it says so already. */
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
 * Turns every "earliest", "latest" and time into an offset, once: a reader that reconnects must not
 * start elsewhere. Learns the topics' ids, and asks for the same topics from then on.
 *
 * @throws InconsistentTopicIdError where a topic was made anew since its id was learnt
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
    if (partitions.length === 0) partitions.push({ partition, position: "earliest" }); // the id alone is asked for
    const ask = () => api.listOffsets({ topic, topicId, partitions });
    const answers = await (questions.length === 0 ? untilAnswered(ask, isOver) : ask());
    for (const state of states) state.topicId ??= answers[0]?.topicId ?? "";
    for (const [i, question] of questions.entries()) question.answer(answers[i]!);
  };
  await Promise.all(Array.from(byTopic, lookUp));
}

/**
 * Whoever knows where to begin waits for the log as long as a reader does that has lost its
 * connection.
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
