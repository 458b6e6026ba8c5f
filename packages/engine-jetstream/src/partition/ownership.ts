/** Whether this broker may write to a partition. */
import { NotOwnerError } from "@logstore/codec";

export interface Ownership {
  /**
   * Undefined: another broker is the owner, or none. When the number changes, another broker may
   * have owned the partition meanwhile.
   */
  term(): number | undefined;
  /** `host:port` of the owner, if one is known. */
  address(): string | undefined;
  /**
   * Whether the log takes the partition over again after another broker has done so. False: only
   * opening the log does.
   */
  readonly takesOverAgain: boolean;
}

/** The owners of the partitions of topics. */
export interface PartitionOwners {
  partition(topicId: string, partition: number): Ownership;
  /**
   * @throws ResourceLimitExceededError if the owners of so many more partitions cannot be stored
   */
  checkRoom(partitions: number): void;
  /** Registers a callback for changes of owners. */
  onChange(changed: () => void): void;
  /** Resolves when a new topic's partitions have owners, or after a bounded time. */
  settled(topicId: string): Promise<void>;
}

/** The partitions of a broker that shares them with no other. */
export const ALWAYS_OWNED: Ownership = { term: () => 0, address: () => undefined, takesOverAgain: true };

export function notOwner(partition: number, ownership: Ownership): NotOwnerError {
  const address = ownership.address();
  const where = address === undefined ? "no broker is known to own it now: try again" : `ask ${address}`;
  return new NotOwnerError(`this broker does not own partition ${partition}: ${where}`, { partition, address });
}
