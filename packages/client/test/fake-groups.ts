/** Groups played by a test: it sends events to members and records their messages. */
import type {
  CommitOffsetsRequest,
  CommitResult,
  GroupMembership,
  JoinGroupRequest,
  MemberEvent,
  PartitionCommit,
  TopicPartition,
} from "@logstore/protocol";

type Step = { readonly event: MemberEvent } | { readonly error: unknown } | "end";

export class FakeMembership implements GroupMembership, AsyncIterator<MemberEvent, undefined> {
  readonly request: JoinGroupRequest;
  /** Messages of the member, in order. */
  readonly said: string[] = [];
  heartbeats = 0;
  /** Settles when the member has left. */
  left: Promise<void> = Promise.resolve();
  #steps: Step[] = [];
  #wake: (() => void) | undefined;
  #hasEnded = false;

  /** Ends the connection without an error. */
  get isBroken(): boolean {
    return this.#hasEnded;
  }

  constructor(request: JoinGroupRequest) {
    this.request = request;
  }

  joined(memberId = "m1", memberEpoch = 1, heartbeatIntervalMs = 60_000): this {
    return this.tell({ type: "joined", memberId, memberEpoch, heartbeatIntervalMs, sessionTimeoutMs: 45_000 });
  }

  /** Assigns partitions of topic "t", with their committed offsets, if any. */
  assigned(
    memberEpoch: number,
    partitions: readonly (number | readonly [number, number])[],
    revoking: readonly number[] = [],
  ): this {
    return this.tell({
      type: "assignment",
      memberEpoch,
      partitions: partitions.map((one) => {
        const [partition, committedOffset] = typeof one === "number" ? [one, undefined] : one;
        return { topic: "t", partition, committedOffset };
      }),
      revoking: revoking.map((partition) => ({ topic: "t", partition })),
    });
  }

  reset(memberEpoch: number, partition: number, offset: number): this {
    return this.tell({ type: "offsetsReset", memberEpoch, offsets: [{ topic: "t", partition, offset }] });
  }

  tell(event: MemberEvent): this {
    return this.#step({ event });
  }

  fail(error: unknown): void {
    this.#step({ error });
  }

  end(): void {
    this.#step("end");
  }

  heartbeat(): void {
    this.heartbeats++;
  }

  revoked(memberEpoch: number, partitions: readonly TopicPartition[]): void {
    this.said.push(`revoked ${partitions.map(({ partition }) => partition)} at ${memberEpoch}`);
  }

  subscribe(topics: readonly string[]): void {
    this.said.push(`subscribe ${topics}`);
  }

  async leave(): Promise<void> {
    this.said.push("leave");
    await this.left;
    this.end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<MemberEvent, undefined>> {
    while (this.#steps.length === 0 && !this.#hasEnded) await new Promise<void>((resolve) => (this.#wake = resolve));
    const step = this.#steps.shift();
    if (step === undefined || step === "end") return { done: true, value: undefined };
    if ("error" in step) throw step.error;
    return { done: false, value: step.event };
  }

  async return(): Promise<IteratorResult<MemberEvent, undefined>> {
    this.#hasEnded = true;
    this.#wake?.();
    return { done: true, value: undefined };
  }

  #step(step: Step): this {
    this.#steps.push(step);
    this.#wake?.();
    return this;
  }
}

export class FakeGroups {
  readonly memberships: FakeMembership[] = [];
  readonly commits: CommitOffsetsRequest[] = [];
  /** Called when a member joins. */
  onJoin: (membership: FakeMembership) => void = () => {};
  /** Decides the result of each commit. */
  onCommit: (commit: PartitionCommit, request: CommitOffsetsRequest) => CommitResult | Promise<CommitResult> =
    () => ({});

  join(request: JoinGroupRequest): FakeMembership {
    const membership = new FakeMembership(request);
    this.memberships.push(membership);
    this.onJoin(membership);
    return membership;
  }

  async commit(request: CommitOffsetsRequest): Promise<CommitResult[]> {
    this.commits.push(request);
    return Promise.all(request.offsets.map((one) => this.onCommit(one, request)));
  }

  /** The last committed offset of each partition of "t". */
  get committed(): Record<number, number> {
    const offsets = this.commits.flatMap(({ offsets }) => offsets);
    return Object.fromEntries(offsets.map(({ partition, offset }) => [partition, offset]));
  }
}
