/** Every name that the engine uses in NATS. See docs/format/jetstream.md. */

/** The kinds of messages in a partition's stream, as they end its subjects. */
export type MessageKind = "data" | "epoch" | "state";

/** Names of a partition's stream. */
export interface StreamNames {
  readonly stream: string;
  /** Without the kind, which follows after a dot. */
  readonly subject: string;
}

export class Names {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  get bucket(): string {
    return this.#namespace;
  }

  partition(topicId: string, partition: number): StreamNames {
    return {
      stream: `${this.#namespace}-${topicId}-${partition}`,
      subject: `${this.#namespace}.log.${topicId}.${partition}`,
    };
  }

  journal(broker: string): StreamNames {
    return { stream: `${this.#namespace}-journal-${broker}`, subject: `${this.#namespace}.journal.${broker}` };
  }

  snapshot(broker: string): StreamNames {
    return { stream: `${this.#namespace}-snapshot-${broker}`, subject: `${this.#namespace}.snapshot.${broker}` };
  }
}

/** Name of a journal that brokers share. No broker has such a name. */
export function sharedJournal(index: number): string {
  return `=${index}`;
}

/** All topics of a bucket, as a subject with a wildcard. */
export const ANY_TOPIC = "topic.*";

export function topicKey(topic: string): string {
  return `topic.${escaped(topic)}`;
}

export function isTopicKey(key: string): boolean {
  return key.startsWith("topic.");
}

/** The topic of a key. */
export function topicOf(key: string): string {
  return key.slice("topic.".length).replaceAll("=", ".");
}

export function mapKey(key: string): string {
  return `map.${escaped(key)}`;
}

export function snapshotKey(broker: string): string {
  return `snapshot.${broker}`;
}

/** The owners of all partitions and journals. */
export const OWNERS_KEY = "owners";

/** All leases of a bucket, as a subject with a wildcard. */
export const ANY_LEASE = "lease.*";

export function leaseKey(broker: string): string {
  return `lease.${broker}`;
}

export function isLeaseKey(key: string): boolean {
  return key.startsWith("lease.");
}

/** The broker of a lease's key. */
export function brokerOf(key: string): string {
  return key.slice("lease.".length);
}

/** Dots separate the tokens of a subject, none of which may be empty. No name contains "=". */
function escaped(name: string): string {
  return name.replaceAll(".", "=");
}
