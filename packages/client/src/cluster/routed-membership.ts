/**
 * A membership at the coordinator of a group. It ends when the group moves, and the member rejoins.
 */
import type { GroupMembership, JoinGroupRequest, MemberEvent, TopicPartition } from "@logstore/protocol";
import type { Way } from "./owner-connection.js";
import type { Ways } from "./ways.js";

export class RoutedMembership implements GroupMembership, AsyncIterator<MemberEvent, undefined> {
  readonly #ways: Ways;
  #request: JoinGroupRequest;
  #way: Way | undefined;
  #membership: GroupMembership | undefined;
  #events: AsyncIterator<MemberEvent, undefined> | undefined;
  #hasEnded = false;
  readonly #ended = Promise.withResolvers<void>();

  constructor(ways: Ways, request: JoinGroupRequest) {
    this.#ways = ways;
    this.#request = request;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<MemberEvent, undefined>> {
    // A membership that ends does not wait until its coordinator is found.
    if (this.#membership === undefined && !this.#hasEnded) await Promise.race([this.#join(), this.#ended.promise]);
    if (this.#events === undefined || this.#hasEnded) return { done: true, value: undefined };
    try {
      const result = await this.#events.next();
      if (result.done) this.#end();
      return result;
    } catch (error) {
      this.#ways.failed(this.#request, this.#way!, error);
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<MemberEvent, undefined>> {
    this.#end();
    await this.#events?.return?.();
    return { done: true, value: undefined };
  }

  heartbeat(): void {
    this.#membership?.heartbeat();
  }

  revoked(memberEpoch: number, partitions: readonly TopicPartition[]): void {
    this.#membership?.revoked(memberEpoch, partitions);
  }

  subscribe(topics: readonly string[]): void {
    if (this.#membership === undefined) this.#request = { ...this.#request, topics };
    else this.#membership.subscribe(topics);
  }

  async leave(): Promise<void> {
    if (this.#membership === undefined) this.#end();
    await this.#membership?.leave();
  }

  async #join(): Promise<void> {
    const way = await this.#ways.of(this.#request);
    if (this.#hasEnded) return;
    this.#membership = way.log.joinGroup(this.#request);
    this.#events = this.#membership[Symbol.asyncIterator]();
    this.#way = way;
    way.enter();
  }

  #end(): void {
    if (!this.#hasEnded) this.#way?.leave();
    this.#hasEnded = true;
    this.#ended.resolve();
  }
}
