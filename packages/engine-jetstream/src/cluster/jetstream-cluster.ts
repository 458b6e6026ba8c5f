/** The brokers of a bucket, and which of them owns which partitions. See docs/cluster.md. */
import { randomUUID } from "node:crypto";
import { type LogStoreError, sleep, UnavailableError } from "@logstore/codec";
import type { Owner } from "@logstore/core/engine";
import type { KvWatchEntry } from "@nats-io/kv";
import type { TellEvent } from "../events/jetstream-events.js";
import type { Bucket } from "../nats/bucket.js";
import { isLeaseKey, leaseKey, OWNERS_KEY } from "../nats/names.js";
import type { Ownership, PartitionOwners } from "../partition/ownership.js";
import { ClusterView } from "./cluster-view.js";
import { ClusterWatch } from "./cluster-watch.js";
import { Controller } from "./controller.js";
import { OwnLease } from "./own-lease.js";
import { encodeOwners } from "./owners-record.js";

const ASK_EVERY_MS = 10;
/** Renewals that are stored and not seen before the watch is begun anew: the lease has ended. */
const UNSEEN_RENEWALS = 4;

export interface ClusterOptions {
  /** Name of this broker. */
  readonly broker: string;
  /** `host:port` of this broker. */
  readonly address: string;
  readonly leaseMs: number;
  /** Whether it owns nothing, while there are others, until it joins. */
  readonly standby: boolean;
  readonly tell: TellEvent;
}

export class JetStreamCluster implements PartitionOwners {
  readonly #bucket: Bucket;
  readonly #options: ClusterOptions;
  readonly #lease: OwnLease;
  readonly #view: ClusterView;
  readonly #controller: Controller;
  readonly #watch: ClusterWatch;
  readonly #listeners: (() => void)[] = [];
  #tellLease = () => {};
  #tellFailure: (error: LogStoreError) => void = () => {};
  #failure: LogStoreError | undefined;
  /** The lease was valid before: beginning it is no event. */
  #hadLease = false;
  readonly #closing = new AbortController();

  private constructor(bucket: Bucket, options: ClusterOptions) {
    this.#bucket = bucket;
    this.#options = options;
    const { broker, address, leaseMs, standby } = options;
    this.#lease = new OwnLease(bucket, {
      broker,
      address,
      leaseMs,
      standby,
      attempted: () => this.#attempted(),
      taken: (error) => {
        options.tell({ type: "renewal_failed", error });
        this.#failed(error);
      },
      renewalFailed: (error) => options.tell({ type: "renewal_failed", error }),
      validityChanged: (isValid) => this.#leaseChanged(isValid),
    });
    this.#watch = new ClusterWatch(bucket, (entry) => this.#see(entry));
    this.#view = new ClusterView(broker, this.#lease.incarnation);
    this.#controller = new Controller(bucket, this.#view, {
      mayDecide: () => this.#lease.isValid,
      failed: (error) => options.tell({ type: "owners_failed", error }),
    });
  }

  /**
   * Enters the brokers of a bucket. Resolves when this broker's lease is seen, and owners are
   * known.
   *
   * @throws UnavailableError after `leaseMs`, or a request's timeout if that is longer; LockedError
   * if another broker has this name
   */
  static async enter(bucket: Bucket, options: ClusterOptions): Promise<JetStreamCluster> {
    const cluster = new JetStreamCluster(bucket, options);
    try {
      await cluster.#watch.begin();
      await cluster.#lease.begin();
      const joined = () => cluster.#lease.isValid && cluster.#view.owners !== undefined;
      if (await cluster.#becomes(joined, Math.max(options.leaseMs, bucket.requestTimeoutMs))) return cluster;
      if (cluster.#failure !== undefined) throw cluster.#failure;
      throw new UnavailableError(`broker ${options.broker} did not see its own lease in NATS: try again`);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Registers a callback for changes of owners. */
  onChange(changed: () => void): void {
    this.#listeners.push(changed);
  }

  /** Registers a callback for the end of this broker's lease, and for its return. */
  onLease(changed: () => void): void {
    this.#tellLease = changed;
  }

  /** Registers a callback for the reason why this broker can own nothing any more. */
  onFailure(failed: (error: LogStoreError) => void): void {
    this.#tellFailure = failed;
    if (this.#failure !== undefined) failed(this.#failure);
  }

  /** Whether this broker can own anything now. */
  get hasLease(): boolean {
    return this.#lease.isValid;
  }

  /** The owner of a partition; undefined if none is alive, as far as is known. */
  owner(topicId: string, partition: number): Owner | undefined {
    return this.#owner(this.#view.owners?.topics.get(topicId)?.[partition]);
  }

  get journalCount(): number {
    return this.#view.owners?.journals.length ?? 0;
  }

  journalOwner(journal: number): Owner | undefined {
    return this.#owner(this.#view.owners?.journals[journal]);
  }

  /** What the log of a partition asks. */
  partition(topicId: string, partition: number): Ownership {
    return { ...this.#ownership(() => this.owner(topicId, partition)), takesOverAgain: true };
  }

  /** What the log of a journal asks. Only a new coordinator takes a journal over. */
  journal(journal: number): Ownership {
    return { ...this.#ownership(() => this.journalOwner(journal)), takesOverAgain: false };
  }

  /** The addresses of the other brokers that are alive. */
  get otherAddresses(): string[] {
    const others = this.#view.alive.filter((broker) => broker !== this.#options.broker);
    return others.map((broker) => this.#view.lease(broker)!.address);
  }

  checkRoom(partitions: number): void {
    const { owners } = this.#view;
    if (owners === undefined) return;
    const names = new Array<string>(partitions).fill(this.#options.broker);
    const topics = new Map([...owners.topics, [randomUUID() as string, names]]);
    encodeOwners({ ...owners, topics }, this.#bucket.maxValueBytes);
  }

  /** Resolves when a topic's partitions have owners, or after `leaseMs`. */
  async settled(topicId: string): Promise<void> {
    await this.#becomes(() => this.#view.owners?.topics.has(topicId) === true);
  }

  /** Ends a standby. Resolves before this broker owns anything. */
  join(): Promise<void> {
    return this.#lease.join();
  }

  /**
   * Gives everything to the other brokers, if there are any. Resolves after `leaseMs` at the
   * latest.
   */
  async drain(): Promise<void> {
    await this.#lease.drain();
    const { broker } = this.#options;
    const isOnlyOne = () => this.#view.lease(broker)?.isDraining === true && this.#view.candidates.includes(broker);
    await this.#becomes(() => this.#isWithoutPartitions || isOnlyOne());
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#lease.end().catch(() => {}); // it expires
    await this.#controller.settle();
    this.#watch.stop();
  }

  get #isWithoutPartitions(): boolean {
    const { owners } = this.#view;
    if (owners === undefined) return true;
    const { broker } = this.#options;
    return ![owners.journals, ...owners.topics.values()].some((names) => names.includes(broker));
  }

  #owner(broker: string | undefined): Owner | undefined {
    if (broker === undefined) return undefined;
    const isSelf = broker === this.#options.broker;
    if (isSelf && !this.#lease.isValid) return undefined;
    const lease = this.#view.lease(broker);
    return lease && { address: lease.address, isSelf };
  }

  #ownership(owner: () => Owner | undefined): Pick<Ownership, "term" | "address"> {
    return {
      term: () => (owner()?.isSelf ? this.#view.ownersRevision : undefined),
      address: () => owner()?.address,
    };
  }

  #see({ key, value, operation, revision }: KvWatchEntry): void {
    try {
      this.#view.see({ key, value: operation === "PUT" ? value : undefined, revision });
    } catch {
      return; // a topic or lease of a newer release: it is no matter of this broker
    }
    const own = this.#view.lease(this.#options.broker);
    if (key === leaseKey(this.#options.broker) && own !== undefined) this.#lease.seen(own, revision);
    if (key === OWNERS_KEY || isLeaseKey(key)) this.#changed();
    this.#controller.wake();
  }

  #changed(): void {
    for (const changed of this.#listeners) changed();
  }

  #attempted(): void {
    // A watch that does not show them has ended, whatever it says.
    if (this.#lease.unseenRenewals >= UNSEEN_RENEWALS) this.#watch.begin().catch(() => {}); // the next renewal tries again
    this.#changed();
    this.#controller.wake();
  }

  #leaseChanged(isValid: boolean): void {
    if (this.#hadLease || !isValid) this.#options.tell({ type: "lease", isLost: !isValid });
    this.#hadLease = true;
    this.#changed();
    this.#tellLease();
  }

  #failed(error: LogStoreError): void {
    this.#failure = error;
    this.#tellFailure(error);
    this.#changed();
  }

  /** Resolves to whether something becomes true in time. */
  async #becomes(isTrue: () => boolean, withinMs = this.#options.leaseMs): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (!isTrue()) {
      const isHopeless = this.#closing.signal.aborted || this.#failure !== undefined;
      if (isHopeless || performance.now() > deadline) return false;
      await sleep(ASK_EVERY_MS, this.#closing.signal);
    }
    return true;
  }
}
