/** The owners that a client was told of. What it knows may be out of date: the brokers decide. */
import type { TopicDescription } from "@logstore/protocol";

/** What has an owner: a partition, or a consumer group. */
export type Owned = OwnedPartition | OwnedGroup;

export interface OwnedPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface OwnedGroup {
  readonly group: string;
}

/** Limit of the table; beyond it, the owner that was learned first is forgotten. */
const MAX_ROUTES = 50_000;

/** Addresses of owners. It is empty as long as the servers are no cluster. */
export class Routes {
  readonly #addresses = new Map<string, string>();

  get(owned: Owned): string | undefined {
    return this.#addresses.size === 0 ? undefined : this.#addresses.get(keyOf(owned));
  }

  /** @param address undefined: the owner is not known */
  set(owned: Owned, address: string | undefined): void {
    const key = keyOf(owned);
    if (address === undefined) {
      this.#addresses.delete(key);
      return;
    }
    if (this.#addresses.size >= MAX_ROUTES && !this.#addresses.has(key)) {
      const [oldest] = this.#addresses.keys();
      this.#addresses.delete(oldest!);
    }
    this.#addresses.set(key, address);
  }

  describe({ topic, partitions }: TopicDescription): void {
    for (const { partition, ownerAddress } of partitions) this.set({ topic, partition }, ownerAddress);
  }
}

/** A string that no other partition or group has. */
export function keyOf(owned: Owned): string {
  return "group" in owned ? `group ${owned.group}` : `${owned.partition} ${owned.topic}`;
}
