/** The sessions of members, and of those whose join is being decided. */
import type { Membership } from "./membership.js";
import type { Session } from "./session.js";

export class Sessions implements Iterable<Session> {
  /** By {@link keyOf}. */
  readonly #sessions = new Map<string, Session>();

  [Symbol.iterator](): Iterator<Session> {
    return this.#sessions.values();
  }

  get(group: string, memberId: string): Session | undefined {
    return this.#sessions.get(keyOf(group, memberId));
  }

  /** Undefined if the member was removed or continues with another membership. */
  of(membership: Membership): Session | undefined {
    const session = this.get(membership.request.group, membership.memberId ?? "");
    return session?.membership === membership ? session : undefined;
  }

  add(session: Session): void {
    this.#sessions.set(keyOf(session.group, session.memberId), session);
  }

  remove(group: string, memberId: string): void {
    this.#sessions.delete(keyOf(group, memberId));
  }
}

/**
 * Group names contain no slash, so that the key is unambiguous although clients choose member ids.
 */
function keyOf(group: string, memberId: string): string {
  return `${group}/${memberId}`;
}
