import { InvalidArgumentError } from "@logstore/codec";
import type { AssignedPartition, AssignmentEvent, OffsetsResetEvent, TopicPartition } from "@logstore/protocol";
import type { RecreatedTopic } from "./consumer-options.js";
import type { SessionListener } from "./group-session.js";
import type { InFlight } from "./in-flight.js";
import { keyOf, OwnedPartition } from "./owned-partition.js";

/** What becomes of partitions that come and go. */
export interface RebalanceSteps {
  /** Gives them positions, tells the application, and has them read. */
  begin(partitions: readonly OwnedPartition[]): Promise<void>;
  /** They are read from their positions again; those that are not read at all are not. */
  restart(partition: OwnedPartition): void;
  /** Nothing more of them is handed out. */
  stop(partition: OwnedPartition): void;
  /** Nothing of them is worked on any more: tells the application, and commits. */
  finish(partitions: readonly OwnedPartition[]): Promise<void>;
  /** They are given up, and may be somebody else's from here on. */
  acknowledge(partitions: readonly TopicPartition[]): void;
  /** Tells the application that they are somebody else's already. */
  lost(partitions: readonly OwnedPartition[]): Promise<void>;
  skipped(partition: OwnedPartition, from: number, to: number): void;
  /** A topic that it had partitions of was deleted, and these are of another one of that name. */
  topicRecreated(event: RecreatedTopic): void;
  fail(error: unknown): void;
}

/**
 * The partitions of a member: takes and gives up what each assignment says, one partition
 * independent of another. What is worked on is given up when that is done; nothing else waits for
 * it.
 */
export class Rebalance implements SessionListener {
  readonly #steps: RebalanceSteps;
  readonly #inFlight: InFlight;
  readonly #owned = new Map<string, OwnedPartition>();
  /** On their way out, each with the promise that it is gone. */
  readonly #leaving = new Map<OwnedPartition, Promise<void>>();
  /** Lost, and still worked on. */
  readonly #lingering = new Map<OwnedPartition, Promise<void>>();
  /** By name, of topics that it had partitions of. */
  readonly #topicIds = new Map<string, string>();
  #isOver = false;

  constructor(steps: RebalanceSteps, inFlight: InFlight) {
    this.#steps = steps;
    this.#inFlight = inFlight;
  }

  get owned(): readonly OwnedPartition[] {
    return [...this.#owned.values()];
  }

  /** Also those on their way out. */
  get all(): readonly OwnedPartition[] {
    return [...this.owned, ...this.#leaving.keys()];
  }

  find(topic: string, partition: number): OwnedPartition | undefined {
    return this.#owned.get(keyOf({ topic, partition }));
  }

  /** @throws InvalidArgumentError */
  get(topic: string, partition: number): OwnedPartition {
    const owned = this.find(topic, partition);
    if (owned !== undefined) return owned;
    throw new InvalidArgumentError(`partition ${partition} of ${topic} is not assigned here`, { topic, partition });
  }

  assigned({ partitions, revoking }: AssignmentEvent): void {
    if (this.#isOver) return;
    // One of a topic that was made anew is another partition.
    const wanted = new Map(partitions.map((one) => [keyOf(one), one.topicId ?? ""]));
    this.#giveUp(this.owned.filter((one) => wanted.get(keyOf(one)) !== one.topicId));
    this.#noteTopics(partitions);
    this.#take(partitions.filter((one) => !this.#owned.has(keyOf(one))));
    // An acknowledgement may have been lost with a connection; those that are on their way out get
    // theirs then.
    const underWay = new Set(Array.from(this.#leaving.keys(), keyOf));
    const gone = revoking.filter((one) => !underWay.has(keyOf(one)));
    if (gone.length > 0) this.#steps.acknowledge(gone);
  }

  reset({ offsets }: OffsetsResetEvent): void {
    for (const { topic, topicId, partition, offset } of offsets) {
      const owned = this.find(topic, partition);
      if (owned === undefined || (topicId !== undefined && topicId !== owned.topicId)) continue;
      owned.resetTo(offset);
      owned.isExact = false;
      this.move(owned, offset);
    }
  }

  /** Goes on elsewhere; what is in hand of the partition does not count. */
  move(owned: OwnedPartition, offset: number): void {
    this.#inFlight.forget(owned);
    owned.moveTo(offset);
    this.#steps.restart(owned);
  }

  async lost(): Promise<void> {
    const { all } = this;
    const announced = all.filter(({ isAnnounced }) => isAnnounced);
    this.#owned.clear();
    this.#leaving.clear();
    for (const one of all) {
      one.lose();
      this.#stop(one);
      this.#inFlight.forget(one);
      const drained = this.#inFlight.drained(one).then(() => void this.#lingering.delete(one));
      this.#lingering.set(one, drained);
    }
    await this.#steps.lost(announced);
  }

  /**
   * Gives up everything, for good; resolves when nothing is worked on any more. The group is not
   * told: the member leaves.
   */
  async finish(): Promise<void> {
    this.#isOver = true;
    this.#giveUp(this.owned);
    await Promise.all(this.#leaving.values());
  }

  #noteTopics(partitions: readonly AssignedPartition[]): void {
    for (const { topic, topicId } of partitions) {
      const previousTopicId = this.#topicIds.get(topic);
      if (!topicId || previousTopicId === topicId) continue;
      this.#topicIds.set(topic, topicId);
      if (previousTopicId !== undefined) this.#steps.topicRecreated({ topic, topicId, previousTopicId });
    }
  }

  #take(assigned: readonly AssignedPartition[]): void {
    if (assigned.length === 0) return;
    const partitions = assigned.map((one) => new OwnedPartition(one, this.#steps.skipped));
    const before = Map.groupBy([...this.#leaving, ...this.#lingering], ([one]) => keyOf(one));
    this.#arrive(partitions.filter((one) => !before.has(keyOf(one))));
    // One that comes back while something of it is still worked on waits for that, and nothing else
    // does.
    for (const one of partitions) {
      const gone = before.get(keyOf(one))?.map(([, gone]) => gone);
      if (gone !== undefined) this.#arrive([one], Promise.all(gone));
    }
  }

  #arrive(partitions: readonly OwnedPartition[], before: Promise<unknown> = Promise.resolve()): void {
    if (partitions.length === 0) return;
    const arrival = before.then(() => this.#steps.begin(partitions)).catch(this.#steps.fail);
    for (const one of partitions) {
      one.arrival = arrival;
      this.#owned.set(keyOf(one), one);
    }
  }

  /** What nobody works on goes at once; each of the others when it is finished. */
  #giveUp(partitions: readonly OwnedPartition[]): void {
    const idle: OwnedPartition[] = [];
    for (const one of partitions) {
      this.#owned.delete(keyOf(one));
      one.revoke();
      this.#stop(one);
      if (this.#inFlight.isBusyWith(one)) this.#leave([one]);
      else idle.push(one);
    }
    if (idle.length > 0) this.#leave(idle);
  }

  #leave(partitions: readonly OwnedPartition[]): void {
    const isStillOurs = () => partitions.every((one) => this.#leaving.has(one));
    const leave = async () => {
      await Promise.all(partitions.map(({ arrival }) => arrival));
      await Promise.all(partitions.map((one) => this.#inFlight.drained(one)));
      await this.#steps.finish(partitions);
      if (isStillOurs() && !this.#isOver) this.#steps.acknowledge(partitions);
    };
    const gone = Promise.resolve()
      .then(leave)
      .catch(this.#steps.fail)
      .finally(() => {
        for (const one of partitions) this.#leaving.delete(one);
      });
    for (const one of partitions) this.#leaving.set(one, gone);
  }

  #stop(one: OwnedPartition): void {
    this.#steps.stop(one);
    this.#inFlight.stop(one);
  }
}
