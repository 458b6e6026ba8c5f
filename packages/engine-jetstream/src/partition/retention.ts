/** Which records may be deleted, and which a topic's retention deletes. */
import { InvalidArgumentError, OffsetOutOfRangeError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/core/engine";
import type { MessageSource } from "./message-source.js";
import type { Owner } from "./owner.js";

/** @throws InvalidArgumentError; OffsetOutOfRangeError if the log ends before `offset` */
export function checkDeletable(partition: number, offset: number, expected: number): void {
  if (!(Number.isSafeInteger(offset) && offset >= 0)) throw new InvalidArgumentError(`${offset} is not an offset`);
  if (offset <= expected) return;
  throw new OffsetOutOfRangeError(`partition ${partition} ends at offset ${expected}`, { partition, offset, expected });
}

/**
 * The log start offset that retention asks for. By size, whole messages are deleted as long as the
 * others have at least `retentionBytes`; by age, those whose append time is too old.
 */
export async function retainedFrom(
  { retentionMs, retentionBytes }: TopicConfig,
  { logStart, logEnd, position, appendTime }: Owner,
  source: MessageSource,
  now: number,
): Promise<number> {
  let from = logStart;
  if (retentionMs !== undefined && logStart < logEnd) {
    const oldest = now - retentionMs;
    const kept = appendTime < oldest ? undefined : await source.first((message) => message.appendTime >= oldest);
    from = Math.max(from, kept?.baseOffset ?? logEnd);
  }
  if (retentionBytes !== undefined && from < logEnd) {
    // The first message without which the others have less than `retentionBytes`. Where it ends is
    // where the next one begins.
    const kept = await source.first((message) => message.nextPosition > position - retentionBytes);
    from = Math.max(from, kept?.baseOffset ?? logStart);
  }
  return from;
}
