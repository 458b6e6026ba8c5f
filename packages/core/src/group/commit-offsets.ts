/** Commits the offsets of a group. */
import { GroupLimitExceededError } from "@logstore/codec";
import type { CommitOffsetsRequest, CommitResult } from "@logstore/protocol";
import { detailOf } from "../errors/error-detail.js";
import { PacedTask } from "../pacing/pacer.js";
import { checkCommits, decideCommits, growthOf } from "./decide/commits.js";
import { inChunks } from "./decide/in-chunks.js";
import type { GroupParts } from "./group-parts.js";
import type { CommitChange, GroupState } from "./state/group-state.js";
import { checkGroupName } from "./state/limits.js";
import type { RefreshFailures } from "./state/refresh-failures.js";

/** Larger requests are processed in parts, between which other work runs. */
const MAX_COMMITS_AT_ONCE = 250;

/** @param principal owns the group if the commits create it */
export async function commitOffsets(
  parts: GroupParts,
  request: CommitOffsetsRequest,
  principal: string | undefined,
): Promise<CommitResult[]> {
  const { journal, topics } = parts;
  journal.check();
  checkGroupName(request.group);
  checkCommits(request);
  journal.checkRoom();
  const { offsets } = request;
  const refreshing = topics.refresh(offsets);
  // Without a wait, commits are decided in the order of the calls.
  const failures = refreshing === undefined ? undefined : await refreshing;
  if (offsets.length <= MAX_COMMITS_AT_ONCE) return commit(parts, request, principal, failures).durable;
  const task = new PacedTask();
  const results: CommitResult[] = [];
  const durable: Promise<unknown>[] = [];
  for (let i = 0; i < offsets.length; i += MAX_COMMITS_AT_ONCE) {
    const part = offsets.slice(i, i + MAX_COMMITS_AT_ONCE);
    try {
      const some = commit(parts, { ...request, offsets: part }, principal, failures);
      durable.push(some.durable);
      some.durable.catch(() => {}); // reported below
      results.push(...some.results);
    } catch (error) {
      // The parts accepted before it are reported as such: each partition has its own result.
      if (i === 0 || !(error instanceof GroupLimitExceededError)) throw error;
      const refused = part.map(({ topic, partition }) => ({ error: detailOf(error.with({ topic, partition })) }));
      results.push(...refused);
    }
    await task.pause();
  }
  await Promise.all(durable);
  return results;
}

interface Committed {
  readonly results: readonly CommitResult[];
  readonly durable: Promise<CommitResult[]>;
}

/**
 * @throws GroupLimitExceededError, or the reason why groups are unavailable; both synchronously
 */
function commit(
  { journal, members, topics }: GroupParts,
  request: CommitOffsetsRequest,
  principal: string | undefined,
  failures: RefreshFailures | undefined,
): Committed {
  journal.check();
  const { group, memberId = "", memberEpoch = 0 } = request;
  const state = journal.groups.get(group);
  const { commits, results } = decideCommits(state, request, (topic, partition, topicId) => {
    const failure = failures?.of(topic, partition);
    if (failure !== undefined) throw failure;
    return topics.bounds(topic, partition, topicId);
  });
  const member = state?.members.get(memberId);
  if (member !== undefined && memberEpoch <= member.epoch) members.showsEpoch(group, memberId, memberEpoch);
  const at = journal.now();
  const owner = state === undefined ? principal : state.owner;
  const withIds = commits.map((each): CommitChange => ({ ...each, topicId: topics.id(each.topic) }));
  journal.totals.hold(owner, group, growth(state, commits))();
  const durable = journal.append(inChunks(withIds).map((some) => ({ group, at, owner, commits: some })));
  return { results, durable: durable.then(() => [...results]) };
}

function growth(state: GroupState | undefined, commits: readonly CommitChange[]) {
  return { groups: state === undefined && commits.length > 0 ? 1 : 0, commitBytes: growthOf(state, commits) };
}
