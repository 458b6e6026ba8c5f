import { FencedMemberError, makeError } from "@logstore/codec";
import type { CommitResult, GroupApi } from "@logstore/protocol";
import { hasCode } from "../common/retry.js";
import type { GroupSession } from "./group-session.js";
import type { OwnedPartition } from "./owned-partition.js";
import { PendingCommit } from "./pending-commit.js";

/** Refusals of what was processed that come right by themselves. */
const PASSING: readonly string[] = ["FENCED_MEMBER", "UNKNOWN_TOPIC", "INCONSISTENT_TOPIC_ID", "OFFSET_OUT_OF_RANGE"];

/**
 * Tells the group how far its partitions are. One commit after another, so that none overtakes a
 * later one.
 */
export class Committer {
  readonly #api: GroupApi;
  readonly #group: string;
  readonly #session: GroupSession;
  #last: Promise<unknown> = Promise.resolve();

  constructor(api: GroupApi, group: string, session: GroupSession) {
    this.#api = api;
    this.#group = group;
    this.#session = session;
  }

  /**
   * Commits what was processed of these partitions and is not committed yet. One that is refused is
   * somebody else's now: the session will tell. Or its log has lost its end: its reader will tell.
   */
  async commitProcessed(partitions: Iterable<OwnedPartition>): Promise<void> {
    const all = [...partitions];
    await this.#inTurn(async () => {
      // Below what is committed nothing can be: after a seek there is nothing to say until that is
      // reached again.
      const due = all.filter(({ processed = -1, committed = -1, isLost }) => processed > committed && !isLost);
      if (due.length === 0) return;
      const commits = due.map((owned) => {
        const { topic, topicId, partition, processed } = owned;
        return new PendingCommit({ topic, topicId: topicId || undefined, partition, offset: processed! }, owned);
      });
      try {
        const results = await this.#commit(commits);
        for (const [i, { error }] of results.entries()) {
          if (error === undefined) commits[i]!.made();
          else if (!PASSING.includes(error.code)) throw makeError(error.code, error.message, error);
        }
      } catch (error) {
        if (!hasCode(error, "FENCED_MEMBER")) throw error;
      }
    });
  }

  /**
   * Commits what the application says.
   *
   * @throws FencedMemberError where the partition is not the member's, or the group was set
   * elsewhere meanwhile; UnavailableError, …
   */
  async commit(commit: PendingCommit): Promise<void> {
    const { topic, partition } = commit.commit;
    const [result] = await this.#inTurn(() => {
      if (!commit.isVoid) return this.#commit([commit]);
      const fields = { group: this.#group, topic, partition };
      throw new FencedMemberError(`partition ${partition} of ${topic} was reset meanwhile`, fields);
    });
    const error = result?.error;
    if (error !== undefined) throw makeError(error.code, error.message, error);
    commit.made();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  async #commit(commits: readonly PendingCommit[]): Promise<CommitResult[]> {
    const before = this.#session.member;
    const results = await this.#commitOnce(commits);
    const now = this.#session.member;
    if (now?.memberId !== before?.memberId || now?.memberEpoch === before?.memberEpoch) return results;
    // An assignment came meanwhile: what was refused for its epoch is not to be processed twice for
    // that.
    const refused = commits.filter((one, i) => results[i]?.error?.code === "FENCED_MEMBER" && !one.isVoid);
    if (refused.length === 0) return results;
    const again = await this.#commitOnce(refused);
    return commits.map((one, i) => again[refused.indexOf(one)] ?? results[i]!);
  }

  async #commitOnce(commits: readonly PendingCommit[]): Promise<CommitResult[]> {
    const { member } = this.#session;
    // Without one, it would be a commit by nobody in particular, and taken from a group that has no
    // members.
    if (member === undefined) throw new FencedMemberError("the member is out of its group", { group: this.#group });
    return this.#api.commitOffsets({ group: this.#group, ...member, offsets: commits.map(({ commit }) => commit) });
  }
}
