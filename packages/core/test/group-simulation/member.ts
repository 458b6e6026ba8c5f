/**
 * A consumer that joins, processes its partitions, commits, and revokes partitions on request; and
 * everything that can go wrong with it.
 */
import type { AssignmentEvent, CommitResult, OffsetsResetEvent, TopicPartition } from "@logstore/protocol";
import { Connection } from "./connection.js";
import { keyOf, type Oracle, type Worker } from "./oracle.js";
import { Process } from "./process.js";
import type { Down, Server, Up } from "./server.js";
import { GROUP } from "./server.js";
import type { World } from "./world.js";

export interface MemberOptions {
  readonly topics: readonly string[];
  readonly instanceId: string | undefined;
  readonly assignor: "sticky" | "range" | "round-robin" | undefined;
  /** Prefix of the ids that it chooses; undefined if the group chooses them. */
  readonly chosenId: string | undefined;
}

export const SESSION_TIMEOUT_MS = 8000;
const REVOKE_TIMEOUT_MS = 6000;

interface Work extends TopicPartition {
  position: number;
  /** The epoch at which the member last heard of the partition, in an assignment or a reset. */
  heardAt: number;
  isGivenUp: boolean;
}

export class Member implements Worker {
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #server: Server;
  readonly #options: MemberOptions;
  #topics: readonly string[];
  readonly #work = new Map<string, Work>();
  memberId: string | undefined;
  /** The id of a member that chooses its own, sent with every join until the member is removed. */
  #chosenId: string | undefined;
  #ids = 0;
  #epoch = 0;
  #stream: Connection<Up, Down> | undefined;
  #lastHeard = 0;
  readonly #process: Process;
  #isLeaving = false;
  isCareless = true;

  constructor(world: World, oracle: Oracle, server: Server, options: MemberOptions) {
    this.#world = world;
    this.#process = new Process(world);
    this.#oracle = oracle;
    this.#server = server;
    this.#options = options;
    this.#topics = options.topics;
    this.#chooseId();
    oracle.workers.add(this);
    this.#connect();
    this.#every(
      () => SESSION_TIMEOUT_MS / 3,
      () => this.#heartbeat(),
    );
    this.#every(
      () => world.random.whole(200, 900),
      () => this.#processSome(),
    );
    this.#every(
      () => world.random.whole(600, 2500),
      () => this.#commit(),
    );
  }

  /** The process has been killed. */
  get isDead(): boolean {
    return this.#process.isDead;
  }

  get topics(): readonly string[] {
    return this.#topics;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  worksOn(key: string): boolean {
    return this.#work.has(key);
  }

  get works(): string[] {
    return [...this.#work.keys()].sort();
  }

  // Events that happen to it

  stop(ms: number): void {
    this.#process.stop(ms);
  }

  go(): void {
    this.#process.go();
  }

  die(): void {
    this.#process.isDead = true;
    this.#oracle.workers.delete(this);
    this.#work.clear();
    this.#stream?.break(300);
  }

  breakStream(): void {
    this.#stream?.break(this.#world.random.oneOf([300, 5000, 20_000]));
  }

  subscribe(topics: readonly string[]): void {
    this.#topics = topics;
    this.#stream?.up({ type: "subscribe", topics });
  }

  /** Revokes all partitions, commits, and leaves. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#commit();
    this.#world.after(this.#world.random.whole(0, 400), () =>
      this.#process.do(() => {
        this.#work.clear();
        this.#stream?.up({ type: "leave" });
        this.#world.after(2000, () => this.die());
      }),
    );
  }

  // Its own actions

  #connect(): void {
    if (this.isDead || this.#isLeaving || this.#stream?.isOpen) return;
    this.#lastHeard = this.#world.now;
    const stream: Connection<Up, Down> = new Connection(this.#world, {
      receive: (event) =>
        this.#process.do(() => {
          if (this.#stream === stream) this.#hear(event);
        }),
      closed: (error) =>
        this.#process.do(() => {
          if (this.#stream === stream) this.#lost(error);
        }),
    });
    this.#stream = stream;
    this.#server.connect(stream);
    const { instanceId, assignor } = this.#options;
    const request = {
      group: GROUP,
      topics: this.#topics,
      instanceId,
      assignor,
      memberId: this.memberId ?? this.#chosenId,
      memberEpoch: this.memberId === undefined ? 0 : this.#epoch,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      revokeTimeoutMs: REVOKE_TIMEOUT_MS,
    };
    stream.up({ type: "join", request });
  }

  #lost(error: unknown): void {
    if ((error as { code?: string } | undefined)?.code === "FENCED_MEMBER") this.#startAnew();
    this.#world.after(this.#world.random.whole(10, 1500), () => this.#process.do(() => this.#connect()));
  }

  #startAnew(): void {
    this.memberId = undefined;
    this.#chooseId();
    this.#work.clear();
  }

  #chooseId(): void {
    const { chosenId } = this.#options;
    this.#chosenId = chosenId === undefined ? undefined : `${chosenId}-${this.#ids++}`;
  }

  #hear(event: Down): void {
    this.#world.tell?.(`${this.memberId} hears ${JSON.stringify(event)}`);
    this.#lastHeard = this.#world.now;
    if (event.type === "joined") {
      this.memberId = event.memberId;
      this.#epoch = event.memberEpoch;
    } else if (event.type === "assignment") this.#assigned(event);
    else if (event.type === "offsetsReset") this.#reset(event);
  }

  #assigned({ memberEpoch, partitions, revoking }: AssignmentEvent): void {
    this.#epoch = memberEpoch;
    const owned = new Map(partitions.map((each) => [keyOf(each), each]));
    for (const [key, { topic, partition, committedOffset }] of owned) {
      const work = this.#work.get(key);
      if (work === undefined) {
        const position = committedOffset ?? 0;
        this.#work.set(key, { topic, partition, position, heardAt: memberEpoch, isGivenUp: false });
      } else this.#oracle.goesOn(key, work.heardAt, memberEpoch);
    }
    for (const [key, work] of this.#work) if (!owned.has(key)) this.#giveUp(work);
    for (const each of revoking) if (!this.#work.has(keyOf(each))) this.#sendRevoked([each]);
  }

  #reset({ memberEpoch, offsets }: OffsetsResetEvent): void {
    this.#epoch = memberEpoch;
    for (const { offset, ...each } of offsets) {
      const work = this.#work.get(keyOf(each));
      if (work === undefined) continue;
      work.position = offset;
      work.heardAt = memberEpoch;
    }
  }

  /** Takes some time to revoke, and sometimes too much. */
  #giveUp(work: Work): void {
    if (work.isGivenUp) return;
    work.isGivenUp = true;
    const { random } = this.#world;
    const isSlow = this.isCareless && random.chance(0.05);
    this.#world.after(isSlow ? 2 * REVOKE_TIMEOUT_MS : random.whole(0, 800), () =>
      this.#process.do(() => {
        if (this.#work.get(keyOf(work)) !== work) return;
        if (random.chance(0.7)) this.#send([work]);
        this.#work.delete(keyOf(work));
        this.#sendRevoked([work]);
      }),
    );
  }

  #sendRevoked(partitions: readonly TopicPartition[]): void {
    const message = {
      type: "revoked",
      memberEpoch: this.#epoch,
      partitions: partitions.map(({ topic, partition }) => ({ topic, partition })),
    } as const;
    this.#stream?.up(message);
    if (this.#world.random.chance(0.1))
      this.#world.after(this.#world.random.whole(0, 5000), () => this.#stream?.up(message));
  }

  #heartbeat(): void {
    if (this.#stream?.isOpen) this.#stream.up({ type: "heartbeat" });
    if (this.#world.now - this.#lastHeard > SESSION_TIMEOUT_MS && this.#stream?.isOpen) {
      this.#stream.close();
      this.#lost(undefined);
    }
  }

  #processSome(): void {
    const works = [...this.#work.values()].filter(({ isGivenUp }) => !isGivenUp);
    if (works.length === 0) return;
    for (const work of works) {
      const key = keyOf(work);
      const { end } = this.#oracle.of(key);
      const count = Math.min(this.#world.random.whole(0, 6), end - work.position);
      for (let i = 0; i < count; i++) this.#oracle.processed(key, work.position++);
    }
  }

  #commit(): void {
    const works = [...this.#work.values()].filter(({ isGivenUp }) => !isGivenUp);
    if (works.length > 0) this.#send(works);
  }

  #send(works: readonly Work[]): void {
    if (this.memberId === undefined) return;
    const offsets = works.map(({ topic, partition, position }) => ({ topic, partition, offset: position }));
    const answered = (_results: CommitResult[] | undefined) => {};
    this.#server.commit({ group: GROUP, memberId: this.memberId, memberEpoch: this.#epoch, offsets }, answered);
  }

  #every(ms: () => number, work: () => void): void {
    this.#world.after(ms(), () => {
      if (this.isDead) return;
      this.#process.do(work);
      this.#every(ms, work);
    });
  }
}
