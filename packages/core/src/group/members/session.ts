/**
 * The volatile state of a member, which exists only while the coordinator runs: whether it is
 * connected, and its deadlines.
 */
import type { Member } from "../state/group-state.js";
import type { Membership } from "./membership.js";

export interface Session {
  readonly group: string;
  readonly memberId: string;
  /** Time of its last message by the coordinator's clock, or of the recovery. */
  heardAt: number;
  /** Since when it has had partitions to revoke; undefined if it has none. */
  revokingSince: number | undefined;
  /** The newest epoch that it has used. */
  heardEpoch: number;
  /**
   * Its newest membership; if that is over, the member is disconnected. Undefined after a recovery.
   */
  membership: Membership | undefined;
  /** When it was asked to revoke partitions, by epoch, as long as it has not done so. */
  readonly toldAt: Map<number, number>;
}

export function newSession(group: string, memberId: string, now: number, membership: Membership | undefined): Session {
  return { group, memberId, heardAt: now, revokingSince: undefined, heardEpoch: 0, membership, toldAt: new Map() };
}

export function isConnected(session: Session | undefined): boolean {
  return session?.membership !== undefined && !session.membership.isOver;
}

/** Called when the member's partitions have changed. */
export function noteRevoking(session: Session, member: Member, now: number): void {
  const epochs = new Set<number>();
  for (const held of member.holdings.values()) {
    for (const { revokedAt } of held.values()) if (revokedAt !== undefined) epochs.add(revokedAt);
  }
  for (const epoch of epochs) if (!session.toldAt.has(epoch)) session.toldAt.set(epoch, now);
  for (const epoch of session.toldAt.keys()) if (!epochs.has(epoch)) session.toldAt.delete(epoch);
  session.revokingSince = session.toldAt.size === 0 ? undefined : Math.min(...session.toldAt.values());
}

/** When the member is removed unless it sends a message before, and for which reason. */
export function deadlineOf(session: Session, member: Member): { readonly at: number; readonly reason: string } {
  const { heardAt, revokingSince } = session;
  const silent = heardAt + member.sessionTimeoutMs;
  const overdue = revokingSince === undefined ? Number.POSITIVE_INFINITY : revokingSince + member.revokeTimeoutMs;
  if (overdue < silent) {
    return { at: overdue, reason: `did not give up what it was told to within ${member.revokeTimeoutMs} ms` };
  }
  return { at: silent, reason: `was not heard for ${member.sessionTimeoutMs} ms` };
}
