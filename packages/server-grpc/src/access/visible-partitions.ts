/**
 * A group may use topics that not all of its users may know of: a caller sees and affects only
 * those that it may describe.
 */
import { LogStoreError } from "@logstore/codec";
import type {
  CommitOffsetsRequest,
  CommitResult,
  ErrorDetail,
  GroupCallOptions,
  GroupDescription,
  GroupMember,
  LogApi,
  MemberEvent,
  PartitionCommit,
  TopicPartition,
} from "@logstore/protocol";
import { sliceLeft } from "../transport/slices.js";

/** Length of the longest valid topic name. A longer name is not repeated to its sender. */
const MAX_NAME_LENGTH = 249;

type IsVisible = (topic: string) => boolean;

/** Partitions of one topic are mostly adjacent, so that each topic is checked once. */
export function visiblePartitions<Partition extends TopicPartition>(
  partitions: readonly Partition[],
  isVisible: IsVisible,
): Partition[] {
  let last: string | undefined;
  let isLastVisible = false;
  return partitions.filter(({ topic }) => {
    if (topic === last) return isLastVisible;
    last = topic;
    isLastVisible = isVisible(topic);
    return isLastVisible;
  });
}

/**
 * Runs in slices: each of a thousand members may have a thousand patterns, each of which is checked
 * against the rules.
 */
export async function visibleGroup(description: GroupDescription, isVisible: IsVisible): Promise<GroupDescription> {
  const members: GroupMember[] = [];
  for (const member of description.members) {
    await sliceLeft();
    members.push({
      ...member,
      topics: member.topics.filter(isVisible),
      assigned: visiblePartitions(member.assigned, isVisible),
      revoking: visiblePartitions(member.revoking, isVisible),
    });
  }
  await sliceLeft();
  return { ...description, members, partitions: visiblePartitions(description.partitions, isVisible) };
}

/**
 * A member may rejoin with topics that its caller may no longer know of. It is not told of them,
 * and therefore never revokes them: the group removes it after the revocation timeout.
 */
export function visibleEvents(
  events: AsyncIterator<MemberEvent>,
  isVisible: IsVisible,
): AsyncIterator<MemberEvent, undefined> {
  return {
    async next() {
      const next = await events.next();
      await sliceLeft("members"); // thousands of them are told in one turn of the event loop
      return next.done ? { done: true, value: undefined } : { done: false, value: visibleEvent(next.value, isVisible) };
    },
    // Not a generator's return, which would wait for the pending event.
    async return() {
      await events.return?.();
      return { done: true, value: undefined };
    },
  };
}

function visibleEvent(event: MemberEvent, isVisible: IsVisible): MemberEvent {
  if (event.type === "offsetsReset") return { ...event, offsets: visiblePartitions(event.offsets, isVisible) };
  if (event.type !== "assignment") return event;
  const { partitions, revoking } = event;
  return {
    ...event,
    partitions: visiblePartitions(partitions, isVisible),
    revoking: visiblePartitions(revoking, isVisible),
  };
}

/**
 * Returns undefined for all partitions of a reset without a list, if the caller may know of all of
 * them.
 */
export async function visibleToReset(
  api: LogApi,
  group: string,
  isVisible: IsVisible,
): Promise<TopicPartition[] | undefined> {
  const { partitions } = await api.describeGroup(group);
  const visible = visiblePartitions(partitions, isVisible);
  if (visible.length === partitions.length) return undefined;
  const topics = new Set((await api.listTopics()).map(({ topic }) => topic)); // there may be commits of a deleted topic
  return visiblePartitions(visible, (topic) => topics.has(topic));
}

/** Number of partitions between two checks of the time slice. */
const STEP_PARTITIONS = 250;

/**
 * Commits the permitted partitions; the result of each other one is the error that `check` throws.
 */
export async function commitChecked(
  api: LogApi,
  request: CommitOffsetsRequest,
  options: GroupCallOptions,
  check: (topic: string) => void,
): Promise<CommitResult[]> {
  const taken: PartitionCommit[] = [];
  const refusals: (CommitResult | undefined)[] = [];
  let last: { readonly topic: string; readonly detail: ErrorDetail | undefined } | undefined;
  for (const [i, commit] of request.offsets.entries()) {
    if (i % STEP_PARTITIONS === 0) await sliceLeft();
    const { topic, partition } = commit;
    if (last?.topic !== topic) last = { topic, detail: refusalOf(topic, check) };
    if (last.detail === undefined) taken.push(commit);
    refusals.push(last.detail && { error: { ...last.detail, partition } });
  }
  if (taken.length === 0 && refusals.length > 0) return refusals.map((refusal) => refusal ?? {});
  await sliceLeft();
  const results = (await api.commitOffsets({ ...request, offsets: taken }, options)).values();
  return refusals.map((refusal) => refusal ?? results.next().value ?? {});
}

function refusalOf(topic: string, check: (topic: string) => void): ErrorDetail | undefined {
  if (topic.length > MAX_NAME_LENGTH) {
    const message = `a topic's name has ${MAX_NAME_LENGTH} characters at most, not ${topic.length}`;
    return { code: "INVALID_ARGUMENT", message };
  }
  try {
    check(topic);
    return undefined;
  } catch (error) {
    if (!(error instanceof LogStoreError)) throw error;
    return { ...error.fields, code: error.code, message: error.message };
  }
}

/**
 * Checks each topic once if its partitions are adjacent.
 *
 * @throws the errors of `check`
 */
export async function checkTopics(
  partitions: readonly TopicPartition[],
  check: (topic: string) => void,
): Promise<void> {
  let last: string | undefined;
  for (const [i, { topic }] of partitions.entries()) {
    if (i % STEP_PARTITIONS === 0) await sliceLeft();
    if (topic !== last) check(topic);
    last = topic;
  }
}
