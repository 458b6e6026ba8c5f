/**
 * A group may have to do with topics that not everybody who uses it may know of: what a caller is
 * told of it, and does to it, is about the others only.
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

/** Of a topic. A longer one is not repeated to whoever sent it. */
const MAX_NAME_LENGTH = 249;

type IsVisible = (topic: string) => boolean;

/** Partitions of one topic mostly come one after another: each topic is asked for once, then. */
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
 * Each of a thousand members may name a thousand patterns, about each of which the rules are asked.
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
 * A member may go on as one that had topics which its caller may not know of. It is not told of
 * them, and so never gives them up: the group takes it for out when the time for that is over.
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
    // Not a generator's: that would wait for the event that is asked for.
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

/** Undefined for all that a reset takes by itself, where the caller may know of all of it. */
export async function visibleToReset(
  api: LogApi,
  group: string,
  isVisible: IsVisible,
): Promise<TopicPartition[] | undefined> {
  const { partitions } = await api.describeGroup(group);
  const visible = visiblePartitions(partitions, isVisible);
  if (visible.length === partitions.length) return undefined;
  const topics = new Set((await api.listTopics()).map(({ topic }) => topic)); // commits may be of one that is gone
  return visiblePartitions(visible, (topic) => topics.has(topic));
}

/** Partitions between two looks at the clock. */
const STEP_PARTITIONS = 250;

/**
 * Commits what is let through; each of the others is answered in its place with what `check`
 * throws.
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

/** Checks each topic once where its partitions come one after another. @throws what `check` does */
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
