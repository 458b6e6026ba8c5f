/**
 * Messages to members. A message is delivered once the change that it reports is durable, so that
 * no member acts on what a crash could undo.
 */
import type { Slices, Steps } from "../time/slices.js";
import type { Membership } from "./membership.js";
import type { MemberNews } from "./news.js";

/** A message to a member. */
export interface Notice {
  readonly deliver: () => void;
  /** Number of partitions in the message. */
  readonly partitions: number;
}

/**
 * Members encode and send their messages before the next turn of the event loop, which costs more
 * than creating them. After this many partitions other work runs.
 */
const PARTITIONS_A_TURN = 5_000;
/** What a message counts at least, however few partitions it contains. */
const LEAST_PARTITIONS = 100;

export function noticeOf(membership: Membership, news: MemberNews): Notice {
  const { assignment, resets } = news;
  const partitions = assignment.partitions.length + assignment.revoking.length + (resets?.offsets.length ?? 0);
  return { deliver: () => membership.tell(news), partitions };
}

/** Delivers nothing if `durable` rejects: the failure of the journal is reported to each member. */
export function deliverWhenDurable(slices: Slices, notices: readonly Notice[], durable: Promise<void>): void {
  if (notices.length === 0) return;
  durable.then(
    () => slices.add(deliver(notices)),
    () => {},
  );
}

function* deliver(notices: readonly Notice[]): Steps {
  let delivered = 0;
  for (const { deliver, partitions } of notices) {
    deliver();
    delivered += Math.max(partitions, LEAST_PARTITIONS);
    yield delivered < PARTITIONS_A_TURN ? undefined : "turn";
    if (delivered >= PARTITIONS_A_TURN) delivered = 0;
  }
}
