/**
 * Counts what a join or a subscription adds to its group against the limits, from the request until
 * it is decided.
 */
import { QuotaExceededError } from "@logstore/codec";
import type { Journal } from "../journal/journal.js";
import { type Joining, MAX_MEMBERS } from "../state/limits.js";
import type { Inbox } from "./inbox.js";

/** The inputs of a group that are not decided yet. */
export interface Undecided {
  readonly waiting: Inbox | undefined;
  /** Those of the turn in progress. */
  readonly deciding: Inbox | undefined;
}

/**
 * A static member that rejoins takes its existing place.
 *
 * @returns a function that releases what was counted
 * @throws QuotaExceededError, GroupLimitExceededError
 */
export function holdJoin(
  { groups, totals }: Journal,
  group: string,
  { instanceId, topics }: Joining,
  principal: string | undefined,
  { waiting, deciding }: Undecided,
): () => void {
  const state = groups.get(group);
  const members = [...(state?.members.values() ?? [])];
  const before = instanceId === undefined ? undefined : members.findLast((member) => member.instanceId === instanceId);
  const count = members.length + (waiting?.joinCount ?? 0) + (deciding?.joinCount ?? 0);
  if (before === undefined && count >= MAX_MEMBERS) {
    throw new QuotaExceededError(`group ${group} has ${MAX_MEMBERS} members, and takes no more`, {
      group,
      expected: MAX_MEMBERS,
      actual: count,
    });
  }
  const growth = {
    groups: state === undefined && waiting === undefined && deciding === undefined ? 1 : 0,
    members: before === undefined ? 1 : 0,
    subscriptions: topics.length - (before?.topics.length ?? 0),
  };
  const owner = state === undefined ? (deciding?.owner ?? waiting?.owner ?? principal) : state.owner;
  return totals.hold(owner, group, growth);
}

/**
 * @returns a function that releases what was counted
 * @throws GroupLimitExceededError
 */
export function holdSubscriptions(
  { groups, totals }: Journal,
  group: string,
  memberId: string,
  topics: readonly string[],
  { waiting }: Undecided,
): () => void {
  const state = groups.get(group);
  const subscriptions = topics.length - (state?.members.get(memberId)?.topics.length ?? 0);
  const owner = state === undefined ? waiting?.owner : state.owner;
  return totals.hold(owner, group, { subscriptions });
}
