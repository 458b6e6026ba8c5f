/**
 * What must hold, whatever happens. It sees what passes between the coordinator and its members,
 * and what members do; it knows nothing of how the coordinator decides.
 */
import assert from "node:assert/strict";
import type { AssignmentEvent, PartitionCommit, TopicPartition } from "@logstore/protocol";

export const keyOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

interface Partition {
  end: number;
  /** By offset: whether somebody processed it, since it was reset last. */
  readonly processed: boolean[];
  /** Everything before it was processed. */
  processedUpTo: number;
  /** The highest commit that was acknowledged, since the last reset; no less may ever be found. */
  acknowledged: number;
  /** The highest that anybody may have committed. */
  asked: number;
  /** Of the last reset that was acknowledged: no commit of an older epoch counts. */
  resetEpoch: number;
  /** Resets that were decided, whether or not a crash made them undone. */
  resets: number;
  /** Those of them that are not acknowledged: a crash may undo them. */
  pending: PendingReset[];
  owner: { readonly memberId: string; readonly epoch: number } | undefined;
  readonly ownerByEpoch: Map<number, string>;
}

interface PendingReset {
  readonly epoch: number;
  /** What held before it. */
  readonly processed: readonly boolean[];
  readonly acknowledged: number;
}

/** What held of a partition when a commit of it came in. */
export interface Moment {
  readonly isOut: boolean;
  readonly owner: string | undefined;
  readonly resetEpoch: number;
  readonly resets: number;
  readonly processedUpTo: number;
}

/** Whoever works on partitions for a member, as far as it can be seen from outside. */
export interface Worker {
  readonly memberId: string | undefined;
  worksOn(key: string): boolean;
}

export class Oracle {
  readonly partitions = new Map<string, Partition>();
  /** Members that were told that they are out, or left. */
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
   * An assignment leaves the coordinator.
   *
   * @param isMember whom the coordinator takes for a member now
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
      if (!isMember(memberId)) continue; // it is out, and will hear of it
      for (const worker of this.workers) {
        const isOther = worker.memberId !== undefined && worker.memberId !== memberId && isMember(worker.memberId);
        assert(!isOther || !worker.worksOn(key), `${key} is given to ${memberId} while ${worker.memberId} works on it`);
      }
    }
  }

  /**
   * A member hears that it goes on with a partition under this epoch: of what was reset since it
   * had it, it must have heard.
   */
  goesOn(key: string, heardAt: number, memberEpoch: number): void {
    const { resetEpoch } = this.of(key);
    assert(heardAt >= resetEpoch || memberEpoch < resetEpoch, `a reset of ${key} was kept from its owner`);
  }

  /** One that was out may be in again: it never heard of its first join, and said it again. */
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

  /** @param moment when it came in: it was decided then, and is durable now */
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

  /** Changes of a group are durable in their order: this one, and all before it. */
  resetIsAcknowledged(key: string, epoch: number): void {
    const known = this.of(key);
    known.resetEpoch = epoch;
    known.pending = known.pending.filter((reset) => reset.epoch > epoch);
  }

  get hasPendingResets(): boolean {
    return [...this.partitions.values()].some(({ pending }) => pending.length > 0);
  }

  /**
   * After a crash the disk knows the group up to this epoch. A pending reset that is on it holds
   * from now on, heard of or not. One that is not never happened: what was processed before it
   * counts, and commits from before it count.
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

  /** What the coordinator says is committed. */
  committed(offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]): void {
    const found = new Map(offsets.map((each) => [keyOf(each), each.offset]));
    for (const [key, { acknowledged, asked }] of this.partitions) {
      const offset = found.get(key) ?? 0;
      assert(offset >= acknowledged, `${key} is committed to ${offset}, and ${acknowledged} was acknowledged`);
      assert(offset <= asked, `${key} is committed to ${offset}, and nobody asked for more than ${asked}`);
    }
  }

  /** All is quiet. */
  checkAllProcessed(keys: Iterable<string>): void {
    for (const key of keys) {
      const { end, processed } = this.of(key);
      for (let offset = 0; offset < end; offset++) assert(processed[offset], `${key}: nobody processed ${offset}`);
    }
  }
}
