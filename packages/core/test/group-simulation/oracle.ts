/**
 * The invariants of a group. The oracle sees the messages between the coordinator and its members,
 * and what members process; it knows nothing about how the coordinator decides.
 */
import assert from "node:assert/strict";
import type { AssignmentEvent, PartitionCommit, TopicPartition } from "@logstore/protocol";

export const keyOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

interface Partition {
  end: number;
  /** By offset: whether the record was processed since the last reset. */
  readonly processed: boolean[];
  /** All records below this offset were processed. */
  processedUpTo: number;
  /**
   * The highest commit acknowledged since the last reset; the committed offset must never be lower.
   */
  acknowledged: number;
  /** The highest offset that any member may have committed. */
  asked: number;
  /** Epoch of the last acknowledged reset: commits with an older epoch do not count. */
  resetEpoch: number;
  /** Number of resets decided, including those that a crash undid. */
  resets: number;
  /** Resets that are not acknowledged, which a crash may undo. */
  pending: PendingReset[];
  owner: { readonly memberId: string; readonly epoch: number } | undefined;
  readonly ownerByEpoch: Map<number, string>;
}

interface PendingReset {
  readonly epoch: number;
  /** The state before it. */
  readonly processed: readonly boolean[];
  readonly acknowledged: number;
}

/** The state of a partition when a commit for it arrived. */
export interface Moment {
  readonly isOut: boolean;
  readonly owner: string | undefined;
  readonly resetEpoch: number;
  readonly resets: number;
  readonly processedUpTo: number;
}

/** A member's processing of its partitions, as visible from outside. */
export interface Worker {
  readonly memberId: string | undefined;
  worksOn(key: string): boolean;
}

export class Oracle {
  readonly partitions = new Map<string, Partition>();
  /** Members that left or were told that they are removed. */
  readonly #out = new Set<string>();
  readonly workers = new Set<Worker>();
  deliveries = 0;
  accepted = 0;
  refused = 0;

  addPartition(key: string): void {
    this.partitions.set(key, {
      end: 0,
      processed: [],
      processedUpTo: 0,
      acknowledged: 0,
      asked: 0,
      resetEpoch: 0,
      resets: 0,
      pending: [],
      owner: undefined,
      ownerByEpoch: new Map(),
    });
  }

  of(key: string): Partition {
    return this.partitions.get(key)!;
  }

  processed(key: string, offset: number): void {
    this.deliveries++;
    const known = this.of(key);
    known.processed[offset] = true;
    while (known.processed[known.processedUpTo]) known.processedUpTo++;
  }

  /**
   * The coordinator sends an assignment.
   *
   * @param isMember whether the coordinator considers a member part of the group now
   */
  assigned(
    memberId: string,
    { memberEpoch, partitions }: AssignmentEvent,
    isMember: (memberId: string) => boolean,
  ): void {
    for (const each of partitions) {
      const key = keyOf(each);
      const known = this.of(key);
      const other = known.ownerByEpoch.get(memberEpoch) ?? memberId;
      assert.equal(other, memberId, `${key} has two owners at epoch ${memberEpoch}`);
      known.ownerByEpoch.set(memberEpoch, memberId);
      if ((known.owner?.epoch ?? 0) < memberEpoch) known.owner = { memberId, epoch: memberEpoch };
      if (!isMember(memberId)) continue; // it was removed, and will be told
      for (const worker of this.workers) {
        const isOther = worker.memberId !== undefined && worker.memberId !== memberId && isMember(worker.memberId);
        assert(!isOther || !worker.worksOn(key), `${key} is given to ${memberId} while ${worker.memberId} works on it`);
      }
    }
  }

  /**
   * A member is told that it keeps a partition under this epoch: by then it must have been told of
   * all resets since it received the partition.
   */
  goesOn(key: string, heardAt: number, memberEpoch: number): void {
    const { resetEpoch } = this.of(key);
    assert(heardAt >= resetEpoch || memberEpoch < resetEpoch, `a reset of ${key} was kept from its owner`);
  }

  /**
   * A removed member may be a member again: it did not receive the response to its first join, and
   * repeated it.
   */
  joined(memberId: string): void {
    this.#out.delete(memberId);
  }

  out(memberId: string): void {
    this.#out.add(memberId);
  }

  asks(commits: readonly PartitionCommit[]): void {
    for (const each of commits) {
      const known = this.of(keyOf(each));
      known.asked = Math.max(known.asked, each.offset);
    }
  }

  momentOf(memberId: string, commit: PartitionCommit): Moment {
    const { owner, resetEpoch, resets, processedUpTo } = this.of(keyOf(commit));
    return { isOut: this.#out.has(memberId), owner: owner?.memberId, resetEpoch, resets, processedUpTo };
  }

  /**
   * @param moment the state when the commit arrived, which is when it was decided; it is durable
   * now
   */
  acknowledged(memberId: string, memberEpoch: number, commit: PartitionCommit, moment: Moment): void {
    const key = keyOf(commit);
    const known = this.of(key);
    this.accepted++;
    assert(!moment.isOut, `a commit of ${memberId} for ${key} was taken, which is out`);
    assert.equal(moment.owner, memberId, `a commit of ${memberId} for ${key} was taken, which is another's`);
    assert(memberEpoch >= moment.resetEpoch, `a commit for ${key} from before its reset was taken`);
    const { processedUpTo } = moment;
    assert(
      commit.offset <= processedUpTo,
      `${commit.offset} was committed of ${key}, and nobody processed ${processedUpTo}`,
    );
    if (known.resets === moment.resets) known.acknowledged = Math.max(known.acknowledged, commit.offset);
  }

  /** A reset is decided. Until it is acknowledged, a crash may undo it: see {@link recovered}. */
  resets(key: string, offset: number, epoch: number): void {
    const known = this.of(key);
    known.resets++;
    known.pending.push({ epoch, processed: [...known.processed], acknowledged: known.acknowledged });
    known.acknowledged = Math.min(known.acknowledged, offset);
    known.asked = Math.max(known.asked, offset);
    for (let i = 0; i < known.end; i++) known.processed[i] = i < offset;
    known.processedUpTo = Math.min(offset, known.end);
  }

  /** Changes of a group become durable in order: this one and all before it are. */
  resetIsAcknowledged(key: string, epoch: number): void {
    const known = this.of(key);
    known.resetEpoch = epoch;
    known.pending = known.pending.filter((reset) => reset.epoch > epoch);
  }

  get hasPendingResets(): boolean {
    return [...this.partitions.values()].some(({ pending }) => pending.length > 0);
  }

  /**
   * After a crash the group is at this epoch. A pending reset up to this epoch applies from now on,
   * even if no member heard of it. A later one never happened: what was processed before it counts,
   * and so do commits from before it.
   */
  recovered(groupEpoch: number): void {
    for (const known of this.partitions.values()) {
      for (const { epoch, processed, acknowledged } of known.pending.splice(0).reverse()) {
        if (epoch <= groupEpoch) {
          known.resetEpoch = Math.max(known.resetEpoch, epoch);
          continue;
        }
        for (const [offset, wasProcessed] of processed.entries()) if (wasProcessed) known.processed[offset] = true;
        while (known.processed[known.processedUpTo]) known.processedUpTo++;
        known.acknowledged = Math.max(known.acknowledged, acknowledged);
      }
    }
  }

  /** The committed offsets according to the coordinator. */
  committed(offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]): void {
    const found = new Map(offsets.map((each) => [keyOf(each), each.offset]));
    for (const [key, { acknowledged, asked }] of this.partitions) {
      const offset = found.get(key) ?? 0;
      assert(offset >= acknowledged, `${key} is committed to ${offset}, and ${acknowledged} was acknowledged`);
      assert(offset <= asked, `${key} is committed to ${offset}, and nobody asked for more than ${asked}`);
    }
  }

  /** Called when the simulation is at rest. */
  checkAllProcessed(keys: Iterable<string>): void {
    for (const key of keys) {
      const { end, processed } = this.of(key);
      for (let offset = 0; offset < end; offset++) assert(processed[offset], `${key}: nobody processed ${offset}`);
    }
  }
}
