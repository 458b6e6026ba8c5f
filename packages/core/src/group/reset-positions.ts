/** Resolves the positions of a reset to offsets. */
import { InvalidArgumentError } from "@logstore/codec";
import type { ResetOffsetsRequest, TopicPartition } from "@logstore/protocol";
import { PacedTask } from "../pacing/pacer.js";
import type { PartitionOffset } from "./decide/resets.js";
import { knownPartitions } from "./describe-group.js";
import type { GroupState } from "./state/group-state.js";
import type { GroupTopics } from "./state/group-topics.js";
import type { RefreshFailures } from "./state/refresh-failures.js";

/** Number of positions that are looked up concurrently; those by time need the disk. */
const AT_ONCE = 16;

/**
 * Returns each partition once, in the order of the request.
 *
 * @throws InvalidArgumentError, UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError,
 * CorruptPartitionError, StorageFailedError
 */
export async function resolveReset(
  state: GroupState,
  { partitions, to }: ResetOffsetsRequest,
  topics: GroupTopics,
): Promise<PartitionOffset[]> {
  const named = each(partitions ?? (await knownPartitions(state)));
  const failures = await topics.refresh(named);
  if (failures !== undefined) checkRefreshed(named, failures);
  const counts = topics.counts();
  const wanted = partitions === undefined ? named.filter(({ topic }) => counts.has(topic)) : named;
  const offsets: PartitionOffset[] = new Array(wanted.length);
  const task = new PacedTask();
  let next = 0;
  const work = async () => {
    for (let i = next++; i < wanted.length; i = next++) {
      while (task.isDue) await task.pause();
      const { topic, partition } = wanted[i]!;
      const topicId = wanted[i]!.topicId || topics.id(topic);
      topics.bounds(topic, partition, topicId);
      offsets[i] = { topic, topicId, partition, offset: await resolve(state, topic, partition, to, topics) };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return offsets;
}

/** A reset is made as a whole or not at all. */
function checkRefreshed(named: readonly TopicPartition[], failures: RefreshFailures): void {
  for (const { topic, partition } of named) {
    const failure = failures.of(topic, partition);
    if (failure !== undefined) throw failure.with({ topic, partition });
  }
}

function each(partitions: readonly TopicPartition[]): TopicPartition[] {
  return [...new Map(partitions.map((each) => [`${each.topic}/${each.partition}`, each])).values()];
}

async function resolve(
  { commits }: GroupState,
  topic: string,
  partition: number,
  to: ResetOffsetsRequest["to"],
  topics: GroupTopics,
): Promise<number> {
  let offset: number;
  if (typeof to === "object" && "shiftBy" in to) {
    if (!Number.isSafeInteger(to.shiftBy)) throw new InvalidArgumentError(`${to.shiftBy} is no number of records`);
    const from = commits.get(topic)?.get(partition)?.offset ?? topics.bounds(topic, partition).logStart;
    offset = from + to.shiftBy;
  } else {
    if (typeof to === "number" && !Number.isSafeInteger(to)) throw new InvalidArgumentError(`${to} is no offset`);
    offset = await topics.resolve(topic, partition, to);
  }
  // Read now, because the log start may have moved while the position was looked up.
  const { logStart, highWatermark, logEnd, damage } = topics.bounds(topic, partition);
  if (damage === undefined || offset < highWatermark) return Math.min(Math.max(offset, logStart), highWatermark);
  // In a damaged log, an offset beyond the readable end is accepted if such an offset is known to
  // have existed.
  const isNamed = typeof to === "number" || to === "earliest" || (typeof to === "object" && "shiftBy" in to);
  const isKnown = isNamed || (to === "latest" && damage.code === "CORRUPT_PARTITION");
  if (isKnown && offset <= logEnd) return Math.max(offset, logStart);
  throw damage.with({ topic, partition });
}
