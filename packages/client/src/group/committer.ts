import { FencedMemberError, makeError } from "@logstore/codec";
import type { CommitResult, GroupApi } from "@logstore/protocol";
import { hasCode } from "../common/retry.js";
import type { GroupSession } from "./group-session.js";
import type { OwnedPartition } from "./owned-partition.js";
import { PendingCommit } from "./pending-commit.js";

/** Errors of a commit that need no reaction: another event tells the member what has happened. */
const PASSING: readonly string[] = ["FENCED_MEMBER", "UNKNOWN_TOPIC", "INCONSISTENT_TOPIC_ID", "OFFSET_OUT_OF_RANGE"];

/**
 * Commits offsets to the group, one commit at a time, so that a later commit cannot be overtaken by
 * an earlier one.
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
   * Commits the processed records of these partitions that are not committed yet. A refused commit
   * is ignored: the partition was assigned to another member, which the session reports, or its log
   * lost its end, which its reader reports.
   */
  async commitProcessed(partitions: Iterable<OwnedPartition>): Promise<void> {
    const all = [...partitions];
    await this.#inTurn(async () => {
      // A commit cannot lower the committed offset: after a seek back there is nothing to commit
      // until that offset is reached again.
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
   * Commits an offset that the application names.
   *
   * @throws FencedMemberError where the partition is not assigned to this member, or its offset was
   * reset meanwhile; UnavailableError and other errors of the group
   */
  async commit(commit: PendingCommit): Promise<void> {
    const { topic, partition } = commit.commit;
    const [result] = await this.#inTurn(() => {
      if (!commit.isVoid) return this.#commit([commit]);
      const fields = { group: this.#group, topic, partition };
      throw new FencedMemberError(`the offset of partition ${partition} of ${topic} was reset meanwhile`, fields);
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
    // A new assignment arrived meanwhile. Commits that were refused only for their old epoch are
    // repeated, so that their records are not delivered again.
    const refused = commits.filter((one, i) => results[i]?.error?.code === "FENCED_MEMBER" && !one.isVoid);
    if (refused.length === 0) return results;
    const again = await this.#commitOnce(refused);
    return commits.map((one, i) => again[refused.indexOf(one)] ?? results[i]!);
  }

  async #commitOnce(commits: readonly PendingCommit[]): Promise<CommitResult[]> {
    const { member } = this.#session;
    // Without a member id this would be a commit from outside the group, which a group without
    // members accepts.
    if (member === undefined) throw new FencedMemberError("the consumer is not in its group", { group: this.#group });
    return this.#api.commitOffsets({ group: this.#group, ...member, offsets: commits.map(({ commit }) => commit) });
  }
}
