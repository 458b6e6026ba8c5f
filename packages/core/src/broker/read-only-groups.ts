/** The consumer groups of a data directory that another process writes to. */
import { ClosedError, LogStoreError, UnknownGroupError, UnknownTopicError } from "@logstore/codec";
import type { CommittedOffset, GroupDescription, GroupSummary, TopicPartition } from "@logstore/protocol";
import type { Topic } from "../engine/topic-catalogue.js";
import { detailOf } from "../errors/error-detail.js";
import { describeGroup, listGroups } from "../group/describe-group.js";
import { committedOffsets } from "../group/fetch-offsets.js";
import { lagOf } from "../group/lag.js";
import { readGroups } from "../group/read-groups.js";
import type { GroupState } from "../group/state/group-state.js";
import { checkGroupName } from "../group/state/limits.js";
import { checkTopicId } from "./topics/check-topic.js";

type OpenJournal = Parameters<typeof readGroups>[0];

/** Of a partition that does not exist, or whose topic cannot be read. */
const NO_LAG = { logEndOffset: 0, lag: 0, lagMs: 0 };

interface TopicsByName {
  /** @throws UnknownTopicError */
  get(topic: string): Promise<Topic>;
}

/** Reads the journal anew for each call: groups change all the time. */
export class ReadOnlyGroups {
  readonly #openJournal: OpenJournal;
  readonly #topics: TopicsByName;

  constructor(openJournal: OpenJournal, topics: TopicsByName) {
    this.#openJournal = openJournal;
    this.#topics = topics;
  }

  async list(): Promise<GroupSummary[]> {
    return listGroups((await readGroups(this.#openJournal)).values());
  }

  /** Members are shown as not connected: only their server knows. */
  async describe(group: string): Promise<GroupDescription> {
    const state = await this.#state(group);
    if (state === undefined) {
      throw new UnknownGroupError(`there is no group ${group}: nobody has joined it or committed for it`, { group });
    }
    const now = Date.now();
    const find = this.#finder();
    const lag = async ({ topic, partition }: TopicPartition, committed: number | undefined) => {
      const found = await find(topic);
      if (found instanceof UnknownTopicError) return NO_LAG;
      if (found instanceof LogStoreError) return { ...NO_LAG, damage: detailOf(found) };
      if (partition >= found.partitionCount) return NO_LAG;
      return { topicId: found.id, ...(await lagOf(found.log(partition), committed, now)) };
    };
    return describeGroup(state, () => false, lag);
  }

  async offsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    const state = await this.#state(group);
    const find = this.#finder();
    const topics = {
      id: async (topic: string) => {
        const found = await find(topic);
        return found instanceof LogStoreError ? undefined : found.id;
      },
      bounds: async (topic: string, partition: number, topicId: string) => {
        const found = await find(topic);
        if (found instanceof LogStoreError) throw found;
        checkTopicId(found, topicId);
        return found.log(partition);
      },
    };
    return committedOffsets(state, topics, partitions);
  }

  async #state(group: string): Promise<GroupState | undefined> {
    checkGroupName(group);
    return (await readGroups(this.#openJournal)).get(group);
  }

  /**
   * For one call, in which each topic is looked up once. Resolves to the error if a topic does not
   * exist or cannot be read.
   */
  #finder(): (topic: string) => Promise<Topic | LogStoreError> {
    const found = new Map<string, Promise<Topic | LogStoreError>>();
    return (topic) => {
      const finding = found.get(topic) ?? this.#topics.get(topic).catch(errorOfTopic);
      found.set(topic, finding);
      return finding;
    };
  }
}

function errorOfTopic(error: unknown): LogStoreError {
  if (error instanceof LogStoreError && !(error instanceof ClosedError)) return error;
  throw error;
}
