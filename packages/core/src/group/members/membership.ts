/**
 * A member's connection to the coordinator: events wait here until they are requested. However slow
 * the member is, at most one event of each kind waits: a newer assignment replaces an older one,
 * and resets are merged.
 */
import type {
  AssignmentEvent,
  GroupMembership,
  JoinedEvent,
  JoinGroupRequest,
  MemberEvent,
  OffsetsResetEvent,
  TopicPartition,
} from "@logstore/protocol";
import type { MemberNews } from "./news.js";

/** The coordinator, as a membership sees it. */
export interface Memberships {
  begin(membership: Membership): void;
  heard(membership: Membership): void;
  revoked(membership: Membership, memberEpoch: number, partitions: readonly TopicPartition[]): void;
  subscribe(membership: Membership, topics: readonly string[]): void;
  leave(membership: Membership): Promise<void>;
}

interface Waiter {
  resolve(result: IteratorResult<MemberEvent, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorResult<MemberEvent, undefined> = { value: undefined, done: true };

export class Membership implements GroupMembership, AsyncIterator<MemberEvent, undefined> {
  readonly request: JoinGroupRequest;
  readonly principal: string | undefined;
  /** Set once the membership has begun. */
  memberId: string | undefined;
  /**
   * Whether the joined event was delivered, or is about to be: until then the member gets no other
   * news.
   */
  isWelcome = false;
  readonly #coordinator: Memberships;
  #hasBegun = false;
  #isOver = false;
  #error: unknown;
  #joined: JoinedEvent | undefined;
  #resets: OffsetsResetEvent | undefined;
  #assignment: AssignmentEvent | undefined;
  #waiters: Waiter[] = [];

  constructor(coordinator: Memberships, request: JoinGroupRequest, principal: string | undefined) {
    this.#coordinator = coordinator;
    this.request = request;
    this.principal = principal;
  }

  [Symbol.asyncIterator](): AsyncIterator<MemberEvent, undefined> {
    return this;
  }

  next(): Promise<IteratorResult<MemberEvent, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (!this.#hasBegun && !this.#isOver) {
        this.#hasBegun = true;
        try {
          this.#coordinator.begin(this);
        } catch (error) {
          this.fail(error);
        }
      }
      this.#handOut();
    });
  }

  /**
   * The member may rejoin; otherwise it counts as silent, and is removed after its session timeout.
   */
  async return(): Promise<IteratorResult<MemberEvent, undefined>> {
    this.finish();
    return DONE;
  }

  heartbeat(): void {
    if (!this.#isOver) this.#coordinator.heard(this);
  }

  revoked(memberEpoch: number, partitions: readonly TopicPartition[]): void {
    if (!this.#isOver) this.#coordinator.revoked(this, memberEpoch, partitions);
  }

  subscribe(topics: readonly string[]): void {
    this.#coordinator.subscribe(this, topics);
  }

  async leave(): Promise<void> {
    await this.#coordinator.leave(this);
    this.finish();
  }

  // For the coordinator

  get isOver(): boolean {
    return this.#isOver;
  }

  tell({ joined, resets, assignment }: MemberNews): void {
    if (this.#isOver) return;
    this.#joined = joined ?? this.#joined;
    if (resets !== undefined) this.#resets = this.#resets === undefined ? resets : both(this.#resets, resets);
    this.#assignment = assignment;
    this.#handOut();
  }

  /** Ends the membership without further events. */
  finish(): void {
    this.#isOver = true;
    this.#joined = undefined;
    this.#resets = undefined;
    this.#assignment = undefined;
    this.#handOut();
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#error = error;
    this.finish();
  }

  #handOut(): void {
    while (this.#waiters.length > 0) {
      const event = this.#take();
      if (event !== undefined) this.#waiters.shift()!.resolve({ value: event, done: false });
      else if (!this.#isOver) return;
      else if (this.#error === undefined) this.#waiters.shift()!.resolve(DONE);
      else {
        const error = this.#error;
        this.#error = undefined; // thrown once, then the iteration is over
        this.#waiters.shift()!.reject(error);
      }
    }
  }

  /**
   * A reset comes before the assignment of the same epoch, because commits under that epoch are for
   * records after the reset.
   */
  #take(): MemberEvent | undefined {
    const event = this.#joined ?? this.#resets ?? this.#assignment;
    if (event === this.#joined) this.#joined = undefined;
    else if (event === this.#resets) this.#resets = undefined;
    else this.#assignment = undefined;
    return event;
  }
}

/** If a partition is in both resets, the later one applies. */
function both(earlier: OffsetsResetEvent, later: OffsetsResetEvent): OffsetsResetEvent {
  const offsets = new Map(earlier.offsets.map((each) => [keyOf(each), each]));
  for (const each of later.offsets) {
    offsets.delete(keyOf(each));
    offsets.set(keyOf(each), each);
  }
  return { ...later, offsets: [...offsets.values()] };
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
