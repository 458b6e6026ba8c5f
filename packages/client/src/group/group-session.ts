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
  /**
   * Called when the member was removed from the group and its partitions were lost. The member
   * joins again when the promise resolves.
   */
  lost(): Promise<void>;
}

/**
 * Keeps a member in its group: sends heartbeats at the group's interval, rejoins as the same member
 * after a lost connection, and joins as a new member after it was removed.
 */
export class GroupSession {
  readonly #api: GroupApi;
  readonly #request: JoinGroupRequest;
  readonly #listener: SessionListener;
  readonly #stop = new AbortController();
  #membership: GroupMembership | undefined;
  /** Settles when the newest connection has ended: whether the member had joined with it. */
  #connection: Promise<boolean> = Promise.resolve(false);
  /**
   * Chosen by the client, so that a join whose response was lost can be repeated without leaving a
   * second member behind.
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

  /** The identity for commits; undefined while the client is not a member. */
  get member(): { readonly memberId: string; readonly memberEpoch: number } | undefined {
    return this.#isMember ? { memberId: this.#memberId, memberEpoch: this.#memberEpoch } : undefined;
  }

  /**
   * Runs until {@link leave} or {@link disconnect}. Rejects with an error that is not retriable.
   */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      this.#stop.abort(); // a request to leave would fail for the same reason
      throw error;
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let trouble: unknown;
      try {
        this.#connection = this.#runOnce();
        await this.#connection;
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

  /** Confirms to the group that the partitions are revoked. */
  revoked(partitions: readonly TopicPartition[]): void {
    this.#membership?.revoked(
      this.#memberEpoch,
      partitions.map(({ topic, partition }) => ({ topic, partition })),
    );
  }

  /** Closes the connection. The member's partitions are reserved until its session times out. */
  async disconnect(): Promise<void> {
    this.#stop.abort();
    await this.#membership?.[Symbol.asyncIterator]().return?.();
  }

  /**
   * Leaves the group. Without a connection, or if it is lost before the response, the member
   * rejoins once in order to leave. If that fails, for whatever reason, its session times out
   * instead.
   *
   * @param signal aborts the wait for the response
   */
  async leave(signal: AbortSignal): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    const membership = this.#membership;
    if (membership !== undefined) {
      await endedBy(signal, membership, this.#leaveWith(membership)).catch(ignorePassing);
    }
    if (!this.#isMember || signal.aborted) return;
    await this.#rejoinToLeave(signal).catch(() => {});
  }

  async #leaveWith(membership: GroupMembership): Promise<void> {
    await membership.leave();
    const isConfirmed = await this.#connection.catch(() => false);
    if (isConfirmed) this.#isMember = false;
  }

  async #rejoinToLeave(signal: AbortSignal): Promise<void> {
    const membership = this.#join();
    await endedBy(signal, membership, leaveWhenJoined(membership));
  }

  /**
   * Joins once, and handles events until the connection ends. Resolves to whether the member had
   * joined.
   */
  async #runOnce(): Promise<boolean> {
    const membership = this.#join();
    this.#membership = membership;
    let heartbeats: Timer | undefined;
    try {
      for await (const event of membership) {
        if (event.type === "joined") {
          heartbeats ??= startInterval(event.heartbeatIntervalMs, () => membership.heartbeat());
        }
        this.#handle(event);
      }
      return heartbeats !== undefined;
    } finally {
      heartbeats?.cancel();
      this.#membership = undefined;
    }
  }

  #join(): GroupMembership {
    return this.#api.joinGroup({ ...this.#request, memberId: this.#memberId, memberEpoch: this.#memberEpoch });
  }

  /**
   * Whether another member has the same instance id. Joining again would remove that member, which
   * would then join again, and so on.
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
      this.#memberId = event.memberId; // an older server chooses an id itself
      this.#isMember = true;
      this.#attempt = 0;
    } else if (event.type === "assignment") this.#listener.assigned(event);
    else this.#listener.reset(event);
  }
}

async function leaveWhenJoined(membership: GroupMembership): Promise<void> {
  for await (const event of membership) if (event.type === "joined") await membership.leave();
}

/** Waits until the member has left, and disconnects it when `signal` aborts. */
async function endedBy(signal: AbortSignal, membership: GroupMembership, left: Promise<void>): Promise<void> {
  await unlessAborted(left, signal);
  if (signal.aborted) await membership[Symbol.asyncIterator]().return?.();
}

function ignorePassing(error: unknown): void {
  if (!isRetriable(error) && !hasCode(error, "FENCED_MEMBER")) throw error;
}

/** Whether a quota is exhausted that waiting does not free: the group or the server is full. */
function isFull(error: unknown): boolean {
  return hasCode(error, "QUOTA_EXCEEDED") && (error as LogStoreError).retryAfterMs === undefined;
}
