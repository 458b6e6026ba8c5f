/** What a turn of a group tells its members. */
import type { GroupTurn } from "../decide/group-turn.js";
import type { GroupState } from "../state/group-state.js";
import type { Steps } from "../time/slices.js";
import type { Deadlines } from "./deadlines.js";
import { fenced } from "./fenced.js";
import type { Inbox } from "./inbox.js";
import { assignmentOf, type IdOf, type MemberNews, welcome, welcomeBack } from "./news.js";
import { type Notice, noticeOf } from "./notices.js";
import type { Sessions } from "./sessions.js";

export class TurnNotices {
  readonly #sessions: Sessions;
  readonly #deadlines: Deadlines;
  readonly #idOf: IdOf;

  constructor(sessions: Sessions, deadlines: Deadlines, idOf: IdOf) {
    this.#sessions = sessions;
    this.#deadlines = deadlines;
    this.#idOf = idOf;
  }

  /** Ends the sessions of removed members, and tells each why it is removed. */
  removed(group: string, state: GroupState | undefined, { inputs }: Inbox, { removed }: GroupTurn): Notice[] {
    const out = new Map(removed.map((memberId) => [memberId, "gave its place to another with its instance id"]));
    const left = new Set<string>();
    for (const input of inputs) {
      if (input.type === "join" && state?.members.get(input.memberId) === undefined)
        out.set(input.memberId, "is out already");
      if (input.type !== "gone") continue;
      if (input.reason === undefined) left.add(input.memberId);
      else out.set(input.memberId, input.reason);
    }
    return [...out].flatMap(([memberId, reason]) => {
      const membership = this.#sessions.get(group, memberId)?.membership;
      this.#sessions.remove(group, memberId);
      if (membership === undefined) return [];
      const deliver = () => {
        if (left.has(memberId)) membership.finish();
        else membership.fail(fenced(group, memberId, reason));
      };
      return { deliver, partitions: 0 };
    });
  }

  /** Welcomes members that joined or rejoined, and tells the others their new assignments. */
  *changed(state: GroupState, { inputs, rejoined }: Inbox, turn: GroupTurn): Steps<Notice[]> {
    const { group } = state;
    const notices: Notice[] = [];
    const joined = new Set(inputs.flatMap((input) => (input.type === "join" ? [input.memberId] : [])));
    for (const member of turn.members) {
      yield;
      const { memberId } = member;
      this.#deadlines.update(this.#sessions.get(group, memberId)!, member);
      if (joined.has(memberId)) notices.push(...this.to(group, memberId, welcome(state, member, this.#idOf)));
      else if (member.epoch === turn.epoch && !rejoined.has(memberId)) {
        notices.push(...this.to(group, memberId, { assignment: assignmentOf(state, member, this.#idOf) }));
      }
    }
    for (const [memberId, knownEpoch] of rejoined) {
      yield;
      const member = state.members.get(memberId);
      if (member === undefined) continue;
      notices.push(...this.to(group, memberId, welcomeBack(state, member, knownEpoch, this.#idOf)));
    }
    return notices;
  }

  /**
   * A message to a member; none if the member is not connected, or the turn that welcomes it is yet
   * to come, because that turn tells it everything.
   */
  to(group: string, memberId: string, news: MemberNews): Notice[] {
    const membership = this.#sessions.get(group, memberId)?.membership;
    if (membership === undefined) return [];
    if (news.joined !== undefined) membership.isWelcome = true;
    return membership.isWelcome ? [noticeOf(membership, news)] : [];
  }
}
