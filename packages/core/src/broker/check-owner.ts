/** Refuses calls for what another broker owns. */
import { fnv1a32, keyBytes, NotOwnerError } from "@logstore/codec";
import type { Cluster, Owner } from "../engine/cluster.js";

/** When to ask again for the owner if none is known, in ms. */
const NO_OWNER_RETRY_MS = 250;

/**
 * @param cluster undefined: this broker owns everything
 * @throws NotOwnerError
 */
export function checkPartitionOwner(cluster: Cluster | undefined, topicId: string, partition: number): void {
  if (cluster !== undefined) check(cluster.owner(topicId, partition), `partition ${partition}`);
}

/** @throws NotOwnerError */
export function checkJournalOwner(cluster: Cluster, journal: number, group: string): void {
  check(cluster.journalOwner(journal), `group ${JSON.stringify(group)}`);
}

/** The journal in which a group is stored. */
export function journalOf(group: string, journalCount: number): number {
  return fnv1a32(keyBytes(group)) % journalCount;
}

function check(owner: Owner | undefined, what: string): void {
  if (owner === undefined) {
    throw new NotOwnerError(`no broker is known to own ${what} now: try again`, { retryAfterMs: NO_OWNER_RETRY_MS });
  }
  const { address, isSelf } = owner;
  if (!isSelf) throw new NotOwnerError(`another broker owns ${what}: ask ${address}`, { address });
}
