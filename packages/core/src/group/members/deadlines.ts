/**
 * Removes members that were silent for their session timeout, or did not revoke partitions in time.
 */
import type { Journal } from "../journal/journal.js";
import type { Member } from "../state/group-state.js";
import type { AttentiveClock } from "../time/clock.js";
import { Watch } from "../time/watch.js";
import { deadlineOf, noteRevoking, type Session } from "./session.js";
import type { Sessions } from "./sessions.js";

export class Deadlines {
  readonly #journal: Journal;
  readonly #sessions: Sessions;
  readonly #clock: AttentiveClock;
  readonly #expired: (session: Session, reason: string) => void;
  readonly #watch: Watch;

  /** @param expired called at each look at a member whose deadline has passed */
  constructor(
    journal: Journal,
    sessions: Sessions,
    clock: AttentiveClock,
    expired: (session: Session, reason: string) => void,
  ) {
    this.#journal = journal;
    this.#sessions = sessions;
    this.#clock = clock;
    this.#expired = expired;
    this.#watch = new Watch(clock, (now) => this.#look(now));
  }

  /** Called when a member is new, or its partitions have changed. */
  update(session: Session, member: Member, now = this.#clock.now()): void {
    noteRevoking(session, member, now);
    this.#watch.by(deadlineOf(session, member).at);
  }

  stop(): void {
    this.#watch.stop();
  }

  /** Returns the next deadline. */
  #look(now: number): number | undefined {
    let next: number | undefined;
    for (const session of this.#sessions) {
      const member = this.#journal.groups.get(session.group)?.members.get(session.memberId);
      if (member === undefined) continue; // its join is being decided
      const { at, reason } = deadlineOf(session, member);
      if (at <= now) this.#expired(session, reason);
      else next = Math.min(next ?? at, at);
    }
    return next;
  }
}
