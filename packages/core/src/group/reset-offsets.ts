/** Resets the committed offsets of a group. */
import type { CommittedOffset, ResetOffsetsRequest } from "@logstore/protocol";
import { growthOf } from "./decide/commits.js";
import { inChunks } from "./decide/in-chunks.js";
import { inParts } from "./decide/in-parts.js";
import { decideReset, type PartitionOffset } from "./decide/resets.js";
import type { GroupParts } from "./group-parts.js";
import type { Journal } from "./journal/journal.js";
import { resolveReset } from "./reset-positions.js";
import type { CommitChange, GroupChange, Member } from "./state/group-state.js";
import { tellResets } from "./tell-resets.js";
import type { Steps } from "./time/slices.js";

const MAX_RESETS_AT_ONCE = 50_000;
const RESETS_A_STEP = 500;
/** The members and offsets of a larger reset are written as several changes. */
const MAX_RESET_IN_A_CHANGE = 2000;

export async function resetOffsets(parts: GroupParts, request: ResetOffsetsRequest): Promise<CommittedOffset[]> {
  const { journal, members, topics } = parts;
  const { group } = request;
  const offsets = await resolveReset(journal.group(group), request, topics);
  const committed: CommittedOffset[] = [];
  for (let i = 0; i < offsets.length; i += MAX_RESETS_AT_ONCE) {
    const some = offsets.slice(i, i + MAX_RESETS_AT_ONCE);
    const at = await members.run(reset(parts, group, some));
    for (const each of some) committed.push({ ...each, metadata: "", committedAt: at });
  }
  return committed;
}

/** Resolves to the time of the decision, once it is durable. */
function* reset(parts: GroupParts, group: string, offsets: readonly PartitionOffset[]): Steps<Promise<number>> {
  const { journal, topics } = parts;
  const state = journal.group(group); // it may have changed in the meantime
  const at = journal.now();
  const { change, told } = yield* decideReset(state, offsets, at);
  for (const [i, { topic, topicId, partition }] of offsets.entries()) {
    if (i % RESETS_A_STEP === RESETS_A_STEP - 1) yield;
    topics.bounds(topic, partition, topicId); // checks that it still exists; if its topic is deleted later, its commits are dropped, too
  }
  const { members = [], commits = [] } = change;
  const release = journal.totals.hold(state.owner, group, { commitBytes: growthOf(state, commits) });
  let durable: Promise<void>;
  try {
    durable = yield* append(journal, change, members, commits);
  } finally {
    release();
  }
  yield* tellResets(parts, state, told, durable);
  return durable.then(() => at);
}

function* append(
  journal: Journal,
  change: GroupChange,
  members: readonly Member[],
  commits: readonly CommitChange[],
): Steps<Promise<void>> {
  if (members.length + commits.length <= MAX_RESET_IN_A_CHANGE) return journal.append([change]);
  let durable = Promise.resolve();
  // The new epochs come first: once the offsets are set, no commit with an older epoch may count.
  const parts = [
    ...inParts(members).map((some) => ({ ...change, members: some, commits: [] })),
    ...inChunks(commits).map((some) => ({ ...change, members: [], commits: some })),
  ];
  for (const part of parts) {
    durable = journal.append([part]);
    durable.catch(() => {}); // the last promise reports the error
    yield;
  }
  return durable;
}
