import { randomUUID } from "node:crypto";
import { type LogStoreError, sleep, startInterval, type Timer } from "@logstore/codec";
import type {
  AssignmentEvent,
  GroupApi,
  GroupMembership,
  JoinGroupRequest,
  MemberEvent,
  OffsetsResetEvent,
  TopicPartition,
} from "@logstore/protocol";
import { hasCode, isRetriable, retryDelayMs } from "../common/retry.js";
import { unlessAborted } from "./closing-time.js";

export interface SessionListener {
  assigned(event: AssignmentEvent): void;
  reset(event: OffsetsResetEvent): void;
  /** The member was out: what it owned is somebody else's. It joins anew when this resolves. */
  lost(): Promise<void>;
}

/**
 * A member of a group for as long as it wants to be: sends heartbeats by a timer of its own, goes
 * on as the same member after a lost connection, and joins anew when the group has gone on without
 * it.
 */
export class GroupSession {
  readonly #api: GroupApi;
  readonly #request: JoinGroupRequest;
  readonly #listener: SessionListener;
  readonly #stop = new AbortController();
  #membership: GroupMembership | undefined;
  /**
   * Chosen here, so that a join whose answer was lost can be said again, and leaves no other member
   * behind.
   */
  #memberId: string = randomUUID();
  #memberEpoch = 0;
  #isMember = false;
  #attempt = 0;

  constructor(api: GroupApi, request: JoinGroupRequest, listener: SessionListener) {
    this.#api = api;
    this.#request = request;
    this.#listener = listener;
  }

  /** Whose commits are taken; undefined while it is nobody's. */
  get member(): { readonly memberId: string; readonly memberEpoch: number } | undefined {
    return this.#isMember ? { memberId: this.#memberId, memberEpoch: this.#memberEpoch } : undefined;
  }

  /** Until {@link leave}; rejects with what cannot be mended by trying again. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let trouble: unknown;
      try {
        await this.#runOnce();
      } catch (error) {
        if (signal.aborted) return;
        if (hasCode(error, "FENCED_MEMBER")) {
          this.#isMember = false;
          this.#memberId = randomUUID();
          this.#memberEpoch = 0;
          await this.#listener.lost();
          if (await this.#isReplaced()) throw error;
        } else if (!isRetriable(error) || isFull(error)) throw error;
        trouble = error;
      }
      await sleep(retryDelayMs(this.#attempt++, trouble), signal);
    }
  }

  /** The partitions were given up. */
  revoked(partitions: readonly TopicPartition[]): void {
    this.#membership?.revoked(
      this.#memberEpoch,
      partitions.map(({ topic, partition }) => ({ topic, partition })),
    );
  }

  /** Ends the connection. The group keeps the member's place until the session has timed out. */
  async disconnect(): Promise<void> {
    this.#stop.abort();
    await this.#membership?.[Symbol.asyncIterator]().return?.();
  }

  /**
   * Leaves the group, where it can be reached; where not, it finds out when the session has timed
   * out.
   *
   * @param signal aborts when the answer is not waited for any longer
   */
  async leave(signal: AbortSignal): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    const membership = this.#membership;
    if (membership === undefined) return;
    try {
      await unlessAborted(membership.leave(), signal);
      if (signal.aborted) await membership[Symbol.asyncIterator]().return?.();
    } catch (error) {
      if (!hasCode(error, "FENCED_MEMBER") && !isRetriable(error)) throw error;
    }
  }

  /** One connection's worth. */
  async #runOnce(): Promise<void> {
    const membership = this.#api.joinGroup({
      ...this.#request,
      memberId: this.#memberId,
      memberEpoch: this.#memberEpoch,
    });
    this.#membership = membership;
    let heartbeats: Timer | undefined;
    try {
      for await (const event of membership) {
        if (event.type === "joined") {
          heartbeats ??= startInterval(event.heartbeatIntervalMs, () => membership.heartbeat());
        }
        this.#handle(event);
      }
    } finally {
      heartbeats?.cancel();
      this.#membership = undefined;
    }
  }

  /**
   * Whether another member has this one's instance id: to join anew would take its place from it,
   * and so on for ever.
   */
  async #isReplaced(): Promise<boolean> {
    const { group, instanceId } = this.#request;
    if (instanceId === undefined) return false;
    try {
      const { members } = await this.#api.describeGroup(group);
      return members.some((other) => other.instanceId === instanceId);
    } catch (error) {
      if (isRetriable(error) || hasCode(error, "UNKNOWN_GROUP")) return false;
      throw error;
    }
  }

  #handle(event: MemberEvent): void {
    this.#memberEpoch = event.memberEpoch;
    if (event.type === "joined") {
      this.#memberId = event.memberId; // a server that does not know the rule chooses one itself
      this.#isMember = true;
      this.#attempt = 0;
    } else if (event.type === "assignment") this.#listener.assigned(event);
    else this.#listener.reset(event);
  }
}

/** A quota that no time helps: the group, or the server, has no room for another member. */
function isFull(error: unknown): boolean {
  return hasCode(error, "QUOTA_EXCEEDED") && (error as LogStoreError).retryAfterMs === undefined;
}
