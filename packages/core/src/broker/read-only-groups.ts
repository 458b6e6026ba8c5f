/** The consumer groups of a data directory that another process writes to. */
import { UnknownGroupError } from "@logstore/codec";
import type { CommittedOffset, GroupDescription, GroupSummary, TopicPartition } from "@logstore/protocol";
import type { Topic } from "../engine/topic-catalogue.js";
import { describeGroup, knownPartitions, listGroups } from "../group/describe-group.js";
import { lagOf } from "../group/lag.js";
import { readGroups } from "../group/read-groups.js";
import type { GroupState } from "../group/state/group-state.js";

/** Returns undefined if there is no such topic now. */
type FindTopic = (topic: string) => Promise<Topic | undefined>;

/** Reads the journal anew for each call: groups change all the time. */
export class ReadOnlyGroups {
  readonly #openJournal: Parameters<typeof readGroups>[0];
  readonly #find: FindTopic;

  constructor(openJournal: Parameters<typeof readGroups>[0], find: FindTopic) {
    this.#openJournal = openJournal;
    this.#find = find;
  }

  async list(): Promise<GroupSummary[]> {
    return listGroups((await readGroups(this.#openJournal)).values());
  }

  /** Whether members are connected is known to their server only: none is. */
  async describe(group: string): Promise<GroupDescription> {
    const state = await this.#group(group);
    const now = Date.now();
    return describeGroup(
      state,
      () => false,
      async ({ topic, partition }, committed) => {
        const found = await this.#find(topic);
        if (found === undefined || partition >= found.partitionCount) return { logEndOffset: 0, lag: 0, lagMs: 0 };
        const log = found.log(partition);
        await log.refresh();
        return { topicId: found.id, ...(await lagOf(log, committed, now)) };
      },
    );
  }

  async offsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    const state = (await readGroups(this.#openJournal)).get(group);
    if (state === undefined) return [];
    const isWanted = ({ topic, partition }: TopicPartition) =>
      partitions === undefined || partitions.some((each) => each.topic === topic && each.partition === partition);
    return (await knownPartitions(state)).filter(isWanted).flatMap((known) => {
      const { topic, partition, committedOffset: offset, committedAt, metadata } = known;
      if (offset === undefined || committedAt === undefined) return [];
      return [{ topic, topicId: state.topicIds?.get(topic), partition, offset, metadata, committedAt }];
    });
  }

  async #group(group: string): Promise<GroupState> {
    const state = (await readGroups(this.#openJournal)).get(group);
    if (state !== undefined) return state;
    throw new UnknownGroupError(`there is no group ${group}: nobody has joined it or committed for it`, { group });
  }
}
