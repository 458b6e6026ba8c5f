/**
 * What is known of a member only while the coordinator runs: whether it is there, and since when it
 * is waited for.
 */
import type { Member } from "../state/group-state.js";
import type { Membership } from "./membership.js";

export interface Session {
  readonly group: string;
  readonly memberId: string;
  /** When it was heard last, by the coordinator's clock; or when the coordinator recovered. */
  heardAt: number;
  /** Since when it has been waited for to give something up; undefined where it has nothing to. */
  revokingSince: number | undefined;
  /** The newest epoch that it has shown to know. */
  heardEpoch: number;
  /**
   * The newest one, which may be over: then the member is disconnected. Undefined since a recovery.
   */
  membership: Membership | undefined;
  /** When it was told to give up what it was told with each epoch, as long as it has not. */
  readonly toldAt: Map<number, number>;
}

export function newSession(group: string, memberId: string, now: number, membership: Membership | undefined): Session {
  return { group, memberId, heardAt: now, revokingSince: undefined, heardEpoch: 0, membership, toldAt: new Map() };
}

export function isConnected(session: Session | undefined): boolean {
  return session?.membership !== undefined && !session.membership.isOver;
}

/** To be called when what the member holds has changed. */
export function noteRevoking(session: Session, member: Member, now: number): void {
  const epochs = new Set<number>();
  for (const held of member.holdings.values()) {
    for (const { revokedAt } of held.values()) if (revokedAt !== undefined) epochs.add(revokedAt);
  }
  for (const epoch of epochs) if (!session.toldAt.has(epoch)) session.toldAt.set(epoch, now);
  for (const epoch of session.toldAt.keys()) if (!epochs.has(epoch)) session.toldAt.delete(epoch);
  session.revokingSince = session.toldAt.size === 0 ? undefined : Math.min(...session.toldAt.values());
}

/** When the member is out, if nothing is heard of it until then, and why. */
export function deadlineOf(session: Session, member: Member): { readonly at: number; readonly reason: string } {
  const { heardAt, revokingSince } = session;
  const silent = heardAt + member.sessionTimeoutMs;
  const overdue = revokingSince === undefined ? Number.POSITIVE_INFINITY : revokingSince + member.revokeTimeoutMs;
  if (overdue < silent) {
    return { at: overdue, reason: `did not give up what it was told to within ${member.revokeTimeoutMs} ms` };
  }
  return { at: silent, reason: `was not heard for ${member.sessionTimeoutMs} ms` };
}
