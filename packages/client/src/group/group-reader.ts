import { startInterval, type Timer } from "@logstore/codec";
import type { LogApi, TopicPartition } from "@logstore/protocol";
import { hasCode, isRetriable } from "../common/retry.js";
import { Merge } from "../reader/merge.js";
import { CLOSE_TIMEOUT_MS, ClosingTime, unlessAborted } from "./closing-time.js";
import { Committer } from "./committer.js";
import type { ConsumerOptions } from "./consumer-options.js";
import { GroupSession } from "./group-session.js";
import { HookCalls } from "./hook-calls.js";
import type { InFlight } from "./in-flight.js";
import type { OwnedPartition } from "./owned-partition.js";
import { PendingCommit } from "./pending-commit.js";
import { Rebalance, type RebalanceSteps } from "./rebalance.js";
import { goneError, startPositions } from "./start-positions.js";

const COMMIT_INTERVAL_MS = 5_000;
const PAUSED_LAG_INTERVAL_MS = 5_000;

export interface LeaveOptions {
  readonly forGood?: boolean;
  readonly timeoutMs?: number;
}

/** The membership of one loop or run: joined when it begins, left when it ends. */
export class GroupReader<T, K> {
  readonly merge: Merge;
  readonly rebalance: Rebalance;
  readonly #api: LogApi;
  readonly #options: ConsumerOptions<T, K>;
  readonly #session: GroupSession;
  readonly #committer: Committer;
  readonly #inFlight: InFlight;
  readonly #stop = new AbortController();
  /** The first error after the end of the loop. */
  #lateFailure: { readonly error: unknown } | undefined;
  #commits: Timer | undefined;
  #leaving: Promise<void> | undefined;
  #isForGood: boolean;
  readonly #time = new ClosingTime();
  readonly #hooks = new HookCalls();
  #lagLooks: Timer | undefined;

  /** @param onLeft is called after the loop has ended and the group was left */
  constructor(api: LogApi, options: ConsumerOptions<T, K>, inFlight: InFlight, onLeft: () => void) {
    this.#api = api;
    this.#options = options;
    this.#inFlight = inFlight;
    this.#isForGood = options.instanceId === undefined;
    this.rebalance = new Rebalance(this.#steps(), inFlight);
    this.#session = new GroupSession(api, joinRequestOf(options), this.rebalance);
    this.#committer = new Committer(api, options.group, this.#session);
    this.merge = new Merge(api, {
      isEndless: true,
      signal: options.signal,
      // A caller of leave() gets the error.
      onEnd: () => void this.#left().then(onLeft, onLeft),
    });
  }

  /** Joins the group. */
  start(): void {
    if (this.merge.hasEnded) return;
    const fail = (error: unknown) => this.merge.fail(error);
    this.#session.run().catch(fail);
    if (this.#isManual) return;
    let isUnderWay = false;
    const commit = async () => {
      if (isUnderWay) return; // more requests would not help a server that does not answer
      isUnderWay = true;
      await this.#commitIfPossible(this.rebalance.owned).catch(fail);
      isUnderWay = false;
    };
    this.#commits = startInterval(this.#options.commitIntervalMs ?? COMMIT_INTERVAL_MS, commit);
  }

  /** Commits every processed record. */
  commitProcessed(): Promise<void> {
    return this.#committer.commitProcessed(this.rebalance.all);
  }

  async commit(topic: string, partition: number, offset: number, metadata?: string): Promise<void> {
    const owned = this.rebalance.find(topic, partition);
    const commit = { topic, topicId: owned?.topicId || undefined, partition, offset, metadata };
    await this.#committer.commit(new PendingCommit(commit, owned));
  }

  pause(owned: OwnedPartition): void {
    if (owned.isPaused) return;
    owned.isPaused = true;
    this.merge.remove(owned);
    this.#inFlight.pause(owned);
    this.#lookAtLag();
    this.#lagLooks ??= startInterval(PAUSED_LAG_INTERVAL_MS, () => this.#lookAtLag(), { keepsAlive: false });
  }

  resume(owned: OwnedPartition): void {
    if (!owned.isPaused) return;
    owned.isPaused = false;
    this.#inFlight.resume(owned);
    if (owned.isRead) this.merge.add([owned]);
  }

  /**
   * Ends the reading: waits for records that are being processed, commits, and leaves the group,
   * all within `timeoutMs`. A static member stays in the group, unless `forGood` is set. A hook
   * that calls this is not waited for.
   */
  leave({ forGood = false, timeoutMs }: LeaveOptions = {}): Promise<void> {
    this.#isForGood ||= forGood;
    this.#hooks.release();
    // A run that ends because its consumer is closed has the time limit of that close.
    if (timeoutMs !== undefined || !this.#time.hasBegun) this.#time.begin(timeoutMs ?? CLOSE_TIMEOUT_MS);
    const left = this.#left();
    this.merge.end();
    return left;
  }

  /** Paused partitions are not read, so their high watermarks are requested. */
  #lookAtLag(): void {
    const paused = this.rebalance.owned.filter(({ isPaused }) => isPaused);
    if (paused.length === 0) {
      this.#lagLooks?.cancel();
      this.#lagLooks = undefined;
    }
    for (const [topic, partitions] of Map.groupBy(paused, ({ topic }) => topic)) {
      const positions = partitions.map(({ partition }) => ({ partition, position: "latest" as const }));
      this.#api.listOffsets({ topic, topicId: partitions[0]!.topicId || undefined, partitions: positions }).then(
        (offsets) => {
          for (const [i, one] of partitions.entries())
            one.highWatermark = offsets[i]?.highWatermark ?? one.highWatermark;
        },
        () => {}, // the last known lag stays
      );
    }
  }

  #left(): Promise<void> {
    this.#leaving ??= Promise.resolve().then(() => this.#leave()); // after merge.end() has returned
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    if (!this.#time.hasBegun) this.#time.begin(CLOSE_TIMEOUT_MS);
    const { drain, finish, leave } = this.#time;
    this.#commits?.cancel();
    this.#lagLooks?.cancel();
    try {
      this.#inFlight.finish();
      this.#stop.abort();
      drain.addEventListener("abort", () => this.#inFlight.abandon());
      if (drain.aborted) this.#inFlight.abandon();
      await unlessAborted(this.rebalance.finish(), finish);
    } finally {
      try {
        if (this.#isForGood) await this.#session.leave(leave);
        else await this.#session.disconnect();
      } finally {
        this.#time.stop();
      }
    }
    if (this.#lateFailure !== undefined) throw this.#lateFailure.error;
  }

  /**
   * Commits, but ignores retriable errors: the records are committed the next time, or delivered
   * again.
   */
  async #commitIfPossible(partitions: readonly OwnedPartition[]): Promise<void> {
    await this.#committer.commitProcessed(partitions).catch((error: unknown) => {
      if (!isRetriable(error) && !hasCode(error, "BUFFER_FULL")) throw error;
    });
  }

  get #isManual(): boolean {
    return this.#options.commit === "manual";
  }

  #steps(): RebalanceSteps {
    const { from = "earliest", onAssigned, onRevoked, onLost, onSkipped, onTopicRecreated } = this.#options;
    return {
      begin: async (partitions) => {
        await startPositions(this.#api, partitions, from, this.#stop.signal);
        const here = partitions.filter(({ isGone }) => !isGone);
        if (here.length === 0) return;
        for (const one of here) one.announce();
        if (onAssigned !== undefined) await this.#hooks.call(() => onAssigned(here.map(named)));
        for (const one of here) one.begin();
        this.merge.add(here.filter(({ isRead }) => isRead));
      },
      restart: (owned) => {
        if (owned.isRead) this.merge.restart(owned);
      },
      stop: (owned) => this.merge.remove(owned),
      finish: async (partitions) => {
        const announced = partitions.filter(({ isAnnounced }) => isAnnounced);
        if (announced.length === 0) return;
        if (onRevoked !== undefined) await this.#hooks.call(() => onRevoked(announced.map(named)));
        if (!this.#isManual) await this.#commitIfPossible(announced);
        for (const one of announced) one.finish();
      },
      acknowledge: (partitions) => this.#session.revoked(partitions),
      lost: async (partitions) => {
        if (partitions.length === 0 || onLost === undefined) return;
        await this.#hooks.call(() => onLost(partitions.map(named)));
      },
      skipped: (owned, from_, to) => {
        if (from === "none") throw goneError(owned, from_, to);
        onSkipped?.({ ...named(owned), from: from_, to });
        if (to > from_) return;
        if (owned.committed !== undefined) owned.resetTo(Math.min(owned.committed, to));
        this.rebalance.move(owned, to);
      },
      topicRecreated: (event) => onTopicRecreated?.(event),
      fail: (error) => {
        if (this.merge.hasEnded) this.#lateFailure ??= { error };
        else this.merge.fail(error);
      },
    };
  }
}

function joinRequestOf<T, K>(options: ConsumerOptions<T, K>) {
  const { group, topics, instanceId, clientId, sessionTimeoutMs, revokeTimeoutMs, assignor } = options;
  return { group, topics, instanceId, clientId, sessionTimeoutMs, revokeTimeoutMs, assignor };
}

function named({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}
