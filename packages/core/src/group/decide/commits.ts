/** Validation of commits, and the changes that they cause. Pure functions. */
import { InvalidArgumentError, LogStoreError } from "@logstore/codec";
import type { CommitOffsetsRequest, CommitResult, ErrorDetail, PartitionCommit } from "@logstore/protocol";
import { detailOf } from "../../errors/error-detail.js";
import { type CommitChange, type GroupState, holdingOf } from "../state/group-state.js";
import type { TopicBounds } from "../state/group-topics.js";
import { bytesOfCommit } from "../state/group-usage.js";
import { checkTopic, MAX_METADATA_BYTES } from "../state/limits.js";

/**
 * Returns the bounds of a partition.
 *
 * @throws UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError
 */
export type BoundsOf = (
  topic: string,
  partition: number,
  topicId: string | undefined,
) => Pick<TopicBounds, "logStart" | "logEnd" | "damage">;

export interface CommitDecision {
  readonly commits: readonly CommitChange[];
  readonly results: readonly CommitResult[];
}

/** @throws InvalidArgumentError if the request is invalid, whoever makes it */
export function checkCommits({ offsets, memberId, memberEpoch }: CommitOffsetsRequest): void {
  if (memberId !== undefined && !Number.isSafeInteger(memberEpoch)) {
    throw new InvalidArgumentError(`a member commits with its epoch, a whole number, not ${memberEpoch}`);
  }
  for (const { topic, partition, offset, metadata = "" } of offsets) {
    checkTopic(topic);
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new InvalidArgumentError(`${offset} is no offset`, { topic, partition });
    }
    const bytes = Buffer.byteLength(metadata);
    if (bytes <= MAX_METADATA_BYTES) continue;
    throw new InvalidArgumentError(`metadata has ${MAX_METADATA_BYTES} bytes at most, not ${bytes}`, {
      topic,
      partition,
      expected: MAX_METADATA_BYTES,
      actual: bytes,
    });
  }
}

export function decideCommits(
  state: GroupState | undefined,
  { group, memberId, memberEpoch = 0, offsets }: CommitOffsetsRequest,
  boundsOf: BoundsOf,
): CommitDecision {
  const commits: CommitChange[] = [];
  /** Within this request. */
  const highest = new Map<string, number>();
  const results = offsets.map((commit): CommitResult => {
    const { topic, partition, offset, metadata = "" } = commit;
    const refusal = ownerRefusal(state, memberId, memberEpoch, commit) ?? offsetRefusal(commit, boundsOf);
    if (refusal !== undefined) return { error: { ...refusal, group, topic, partition } };
    // A commit never moves an offset back, even if commits overtake one another: only a reset does.
    const key = `${topic}/${partition}`;
    const committed = highest.get(key) ?? state?.commits.get(topic)?.get(partition)?.offset ?? 0;
    if (offset >= committed) {
      highest.set(key, offset);
      commits.push({ topic, partition, offset, metadata });
    }
    return {};
  });
  return { commits, results };
}

/**
 * Returns by how many bytes the commits of a group grow. Two commits of one partition in the same
 * request both count.
 */
export function growthOf(state: GroupState | undefined, commits: readonly CommitChange[]): number {
  let bytes = 0;
  for (const commit of commits) {
    bytes += bytesOfCommit(commit) - bytesOfCommit(state?.commits.get(commit.topic)?.get(commit.partition));
  }
  return bytes;
}

/**
 * Returns why the committer may not commit for the partition; undefined if it may. Refusals are
 * results instead of exceptions, because the stack traces of ten thousand errors would block the
 * event loop.
 */
function ownerRefusal(
  state: GroupState | undefined,
  memberId: string | undefined,
  memberEpoch: number,
  { topic, partition }: PartitionCommit,
): ErrorDetail | undefined {
  if (memberId === undefined) {
    if (state === undefined || state.members.size === 0) return undefined;
    return {
      code: "GROUP_NOT_EMPTY",
      message: "the group has members, and they alone commit for it: stop them first, or reset its offsets",
    };
  }
  const member = state?.members.get(memberId);
  if (member === undefined) return fenced(`${memberId} is no member of the group: join it anew`);
  const holding = holdingOf(member, topic, partition);
  if (holding === undefined) {
    return fenced(`member ${memberId} does not own the partition: it is somebody else's, or nobody's`);
  }
  if (memberEpoch > member.epoch) {
    return {
      ...fenced(`member ${memberId} has epoch ${member.epoch}, and never had ${memberEpoch}`),
      expected: member.epoch,
      actual: memberEpoch,
    };
  }
  if (memberEpoch >= holding.since) return undefined;
  return {
    ...fenced(`epoch ${memberEpoch} of member ${memberId} is from before it got the partition, or it was reset`),
    expected: holding.since,
    actual: memberEpoch,
  };
}

function fenced(message: string): ErrorDetail {
  return { code: "FENCED_MEMBER", message };
}

/** Returns why the offset is not valid for the partition; undefined if it is. */
function offsetRefusal(
  { topic, topicId, partition, offset }: PartitionCommit,
  boundsOf: BoundsOf,
): ErrorDetail | undefined {
  let bounds: ReturnType<BoundsOf>;
  try {
    bounds = boundsOf(topic, partition, topicId);
  } catch (error) {
    if (!(error instanceof LogStoreError)) throw error;
    return detailOf(error);
  }
  const { logEnd, damage } = bounds;
  // The end of a damaged log is not known for sure, and the member may have read beyond the known
  // end.
  if (offset <= logEnd || damage !== undefined) return undefined;
  return {
    code: "OFFSET_OUT_OF_RANGE",
    message: `offset ${offset} is beyond the partition's end, ${logEnd}: nobody can have read up to it`,
    offset,
    expected: logEnd,
  };
}
