/** Checks responses, because a server may be faulty or hostile. */
import { InternalError } from "@logstore/codec";
import type {
  CommittedOffset,
  ConsumeEvent,
  FetchResult,
  MemberEvent,
  PartitionOffset,
  ProduceAck,
} from "@logstore/protocol";

type Place = { readonly topic: string; readonly partition?: number };

/** @throws InternalError */
export function checkAnswers<Answer>(what: string, answers: readonly Answer[], expected: number): readonly Answer[] {
  if (answers.length === expected) return answers;
  throw new InternalError(`the server answered with ${answers.length} ${what} instead of ${expected}`, {
    expected,
    actual: answers.length,
  });
}

/** @throws InternalError */
export function checkPartitionOffset(answer: PartitionOffset, place: Required<Place>): PartitionOffset {
  if (answer.partition !== place.partition) {
    throw new InternalError(`the server answered for partition ${answer.partition} instead of ${place.partition}`, {
      ...place,
    });
  }
  const { offset, logStartOffset, highWatermark, logEndOffset } = answer;
  checkOffsets({ offset, logStartOffset, highWatermark, logEndOffset }, place);
  return answer;
}

/** @throws InternalError */
export function checkAck(ack: ProduceAck, place: Place): ProduceAck {
  const { baseOffset, nextOffset, logEndOffset } = ack;
  checkOffsets({ baseOffset, nextOffset, logEndOffset }, place);
  if (nextOffset > baseOffset) return ack;
  throw new InternalError(`the server acknowledged an empty range of offsets: ${baseOffset} to ${nextOffset}`, place);
}

/** @throws InternalError */
export function checkEvent(event: ConsumeEvent, place: Place): ConsumeEvent {
  const { highWatermark, logEndOffset } = event;
  checkOffsets({ highWatermark, logEndOffset }, place);
  if (event.type === "logStartMoved") checkOffsets({ logStartOffset: event.logStartOffset }, place);
  if (event.type === "gap") checkOffsets({ firstOffset: event.firstOffset, nextOffset: event.nextOffset }, place);
  return event;
}

/** @throws InternalError */
export function checkFetched(result: FetchResult, place: Place): FetchResult {
  const { nextOffset, logStartOffset, highWatermark, logEndOffset } = result;
  checkOffsets({ nextOffset, logStartOffset, highWatermark, logEndOffset }, place);
  return result;
}

/** @throws InternalError */
export function checkMemberEvent(event: MemberEvent): void {
  if (event.type === "joined") {
    if (event.memberId !== "" && event.heartbeatIntervalMs > 0) return;
    throw new InternalError(
      `the server accepted a member with id "${event.memberId}" and a heartbeat interval of ${event.heartbeatIntervalMs} ms`,
    );
  }
  if (event.type === "assignment") {
    for (const { committedOffset, ...place } of event.partitions) checkOffsets({ committedOffset }, place);
  } else for (const { offset, ...place } of event.offsets) checkOffsets({ offset }, place);
}

/** @throws InternalError */
export function checkCommitted(committed: CommittedOffset[]): CommittedOffset[] {
  for (const { offset, topic, partition } of committed) checkOffsets({ offset }, { topic, partition });
  return committed;
}

/**
 * Checks that partitions are numbered from 0 on.
 *
 * @throws InternalError
 */
export function checkPartitions<Partition extends { readonly partition: number }>(
  topic: string,
  partitions: readonly Partition[],
): void {
  if (partitions.length > 0 && partitions.every(({ partition }, i) => partition === i)) return;
  throw new InternalError(`the server described ${topic} with partitions that are not numbered from 0 on`, { topic });
}

/** @throws InternalError */
export function checkOffsets(offsets: { readonly [name: string]: number | undefined }, place: Place): void {
  for (const name in offsets) {
    const offset = offsets[name];
    if (offset === undefined || (Number.isSafeInteger(offset) && offset >= 0)) continue;
    throw new InternalError(`the server answered with ${name} ${offset}, which is not an offset`, place);
  }
}
