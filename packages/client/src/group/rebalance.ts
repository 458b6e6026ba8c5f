import { InvalidArgumentError } from "@logstore/codec";
import type { AssignedPartition, AssignmentEvent, OffsetsResetEvent, TopicPartition } from "@logstore/protocol";
import type { RecreatedTopic } from "./consumer-options.js";
import type { SessionListener } from "./group-session.js";
import type { InFlight } from "./in-flight.js";
import { keyOf, OwnedPartition } from "./owned-partition.js";

/** What a rebalance does with partitions that are assigned or revoked. */
export interface RebalanceSteps {
  /** Looks up their positions, calls `onAssigned`, and starts reading them. */
  begin(partitions: readonly OwnedPartition[]): Promise<void>;
  /** Reads the partition again from its position, if it is read at all. */
  restart(partition: OwnedPartition): void;
  /** Stops the delivery of the partition's records. */
  stop(partition: OwnedPartition): void;
  /** Calls `onRevoked` and commits. None of their records is being processed any more. */
  finish(partitions: readonly OwnedPartition[]): Promise<void>;
  /** Confirms to the group that they are revoked, so that other members may own them. */
  acknowledge(partitions: readonly TopicPartition[]): void;
  /** Calls `onLost`: other members may own them already. */
  lost(partitions: readonly OwnedPartition[]): Promise<void>;
  skipped(partition: OwnedPartition, from: number, to: number): void;
  /** Reports that a topic of the member was deleted and created anew. */
  topicRecreated(event: RecreatedTopic): void;
  fail(error: unknown): void;
}

/**
 * The partitions of a member. It takes over and revokes partitions as each assignment says, each
 * partition independently of the others. A partition whose records are being processed is revoked
 * when that is done; nothing else waits for it.
 */
export class Rebalance implements SessionListener {
  readonly #steps: RebalanceSteps;
  readonly #inFlight: InFlight;
  readonly #owned = new Map<string, OwnedPartition>();
  /** Partitions that are being revoked, each with a promise that resolves when it is. */
  readonly #leaving = new Map<OwnedPartition, Promise<void>>();
  /** Lost partitions of which a record is still being processed. */
  readonly #lingering = new Map<OwnedPartition, Promise<void>>();
  /** Ids of the topics that the member has had partitions of, by name. */
  readonly #topicIds = new Map<string, string>();
  #isOver = false;

  constructor(steps: RebalanceSteps, inFlight: InFlight) {
    this.#steps = steps;
    this.#inFlight = inFlight;
  }

  get owned(): readonly OwnedPartition[] {
    return [...this.#owned.values()];
  }

  /** The owned partitions and those that are being revoked. */
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
    throw new InvalidArgumentError(`partition ${partition} of ${topic} is not assigned to this member`, {
      topic,
      partition,
    });
  }

  assigned({ partitions, revoking }: AssignmentEvent): void {
    if (this.#isOver) return;
    // A partition of a topic that was created anew is another partition.
    const wanted = new Map(partitions.map((one) => [keyOf(one), one.topicId ?? ""]));
    this.#giveUp(this.owned.filter((one) => wanted.get(keyOf(one)) !== one.topicId));
    this.#noteTopics(partitions);
    this.#take(partitions.filter((one) => !this.#owned.has(keyOf(one))));
    // A confirmation may have been lost with a connection, so it is sent again. Partitions that are
    // still being revoked are confirmed when that is done.
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

  /**
   * Continues at another offset. Records of the partition that are being processed do not count.
   */
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
   * Revokes every partition, for good. Resolves when no record is being processed any more. The
   * revocations are not confirmed, because the member leaves.
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
    // A partition that is assigned again while one of its records is still being processed waits
    // for that; no other partition does.
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

  /** Partitions without a record in process are revoked at once, the others when it is done. */
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
