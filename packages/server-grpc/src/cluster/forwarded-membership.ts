/**
 * A membership at another broker. When that broker loses the group, it ends as any lost one does.
 */
import type { GroupMembership, MemberEvent, TopicPartition } from "@logstore/protocol";
import { ForwardedEvents } from "./forwarded-events.js";

export class ForwardedMembership implements GroupMembership {
  readonly #membership: GroupMembership;
  readonly #toError: (error: unknown) => unknown;

  /** @param toError the error that the member gets */
  constructor(membership: GroupMembership, toError: (error: unknown) => unknown) {
    this.#membership = membership;
    this.#toError = toError;
  }

  [Symbol.asyncIterator](): AsyncIterator<MemberEvent, undefined> {
    return new ForwardedEvents(this.#membership, { instead: () => undefined, toError: this.#toError });
  }

  heartbeat(): void {
    this.#membership.heartbeat();
  }

  revoked(memberEpoch: number, partitions: readonly TopicPartition[]): void {
    this.#membership.revoked(memberEpoch, partitions);
  }

  subscribe(topics: readonly string[]): void {
    this.#membership.subscribe(topics);
  }

  leave(): Promise<void> {
    return this.#membership.leave();
  }
}
