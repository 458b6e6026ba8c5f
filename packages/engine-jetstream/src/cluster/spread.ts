/** Decides which broker owns what: evenly, and no more is moved than that takes. */
import { stickyAssignor, toEnd } from "@logstore/core/engine";
import type { OwnerNames, Owners } from "./owners-record.js";

/** Journals of groups in a new cluster. The number is stored, and never changes. */
export const NEW_JOURNALS = 8;

/** Stands for the journals among the topic ids, which are UUIDs. */
const JOURNALS = "journals";

/**
 * @param brokers those that may own something
 * @param partitions number of partitions by topic id
 */
export function spread(
  before: Owners | undefined,
  brokers: readonly string[],
  partitions: ReadonlyMap<string, number>,
): Owners {
  const journals = before?.journals.length ?? NEW_JOURNALS;
  const counts = new Map([...partitions, [JOURNALS, journals]]);
  const all = new Set(counts.keys());
  const target = toEnd(
    stickyAssignor({
      members: brokers.map((broker) => ({ memberId: broker, rank: broker, topics: all })),
      topics: counts,
      current: (id, index) => (id === JOURNALS ? before?.journals : before?.topics.get(id))?.[index],
    }),
  );
  const topics = new Map(target);
  topics.delete(JOURNALS);
  return { journals: target.get(JOURNALS)!, topics };
}

export function areSame(a: Owners | undefined, b: Owners): boolean {
  if (a === undefined || a.topics.size !== b.topics.size || !areSameNames(a.journals, b.journals)) return false;
  return [...a.topics].every(([id, names]) => areSameNames(names, b.topics.get(id)));
}

function areSameNames(a: OwnerNames, b: OwnerNames | undefined): boolean {
  return a.length === b?.length && a.every((name, i) => name === b[i]);
}
