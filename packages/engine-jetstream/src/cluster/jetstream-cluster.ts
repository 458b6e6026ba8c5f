/** Which broker owns which partitions: leases, owners, and the decisions about them. See docs/cluster.md. */
import { type LogStoreError, sleep, UnavailableError } from "@logstore/codec";
import type { Owner } from "@logstore/core/engine";
import type { KvWatchEntry } from "@nats-io/kv";
import type { Bucket } from "../nats/bucket.js";
import { ANY_LEASE, ANY_TOPIC, isLeaseKey, leaseKey, OWNERS_KEY } from "../nats/names.js";
import type { Ownership, PartitionOwners } from "../partition/ownership.js";
import { ClusterView } from "./cluster-view.js";
import { OwnLease } from "./own-lease.js";
import { encodeOwners } from "./owners-record.js";
import { areSame, spread } from "./spread.js";

const ASK_EVERY_MS = 10;
/** Renewals that are not seen before the watch is begun anew. */
const UNSEEN_RENEWALS = 6;

export interface ClusterOptions {
  /** Name of this broker. */
  readonly broker: string;
  /** `host:port` of this broker. */
  readonly address: string;
  readonly leaseMs: number;
}

export class JetStreamCluster implements PartitionOwners {
  readonly #bucket: Bucket;
  readonly #options: ClusterOptions;
  readonly #lease: OwnLease;
  readonly #view: ClusterView;
  #watch: { stop(): void } | undefined;
  #changed: () => void = () => {};
  #failed: (error: LogStoreError) => void = () => {};
  #deciding: Promise<void> | undefined;
  #mustDecide = false;
  readonly #closing = new AbortController();

  private constructor(bucket: Bucket, options: ClusterOptions) {
    this.#bucket = bucket;
    this.#options = options;
    const { broker, address, leaseMs } = options;
    this.#lease = new OwnLease(bucket, {
      broker,
      address,
      leaseMs,
      renewed: () => this.#renewed(),
      taken: (error) => this.#failed(error),
    });
    this.#view = new ClusterView(broker, this.#lease.incarnation);
  }

  /**
   * Joins the brokers of a bucket. Resolves when this broker's lease is seen, and owners are known.
   *
   * @throws UnavailableError after `leaseMs`
   */
  static async join(bucket: Bucket, options: ClusterOptions): Promise<JetStreamCluster> {
    const cluster = new JetStreamCluster(bucket, options);
    try {
      await cluster.#follow();
      await cluster.#lease.begin();
      const joined = () => cluster.#lease.isValid && cluster.#view.owners !== undefined;
      if (await cluster.#becomes(joined)) return cluster;
      throw new UnavailableError(`broker ${options.broker} did not see its own lease in NATS: try again`);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Registers a callback for changes of owners; it replaces an earlier one. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  /** Registers a callback for the reason why this broker can own nothing any more. */
  onFailure(failed: (error: LogStoreError) => void): void {
    this.#failed = failed;
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

  /** Resolves when a topic's partitions have owners, or after `leaseMs`. */
  async settled(topicId: string): Promise<void> {
    await this.#becomes(() => this.#view.owners?.topics.has(topicId) === true);
  }

  /** Gives everything to the other brokers, if there are any. Resolves after `leaseMs` at the latest. */
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
    await this.#deciding;
    this.#watch?.stop();
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

  async #follow(): Promise<void> {
    this.#watch?.stop();
    this.#watch = await this.#bucket.follow([ANY_LEASE, ANY_TOPIC, OWNERS_KEY], (entry) => this.#see(entry));
  }

  #see({ key, value, operation, revision }: KvWatchEntry): void {
    try {
      this.#view.see({ key, value: operation === "PUT" ? value : undefined, revision });
    } catch {
      return; // a topic or lease of a newer release: it is no matter of this broker
    }
    const own = this.#view.lease(this.#options.broker);
    if (key === leaseKey(this.#options.broker) && own !== undefined) this.#lease.seen(own);
    if (key === OWNERS_KEY || isLeaseKey(key)) this.#changed();
    this.#decideSoon();
  }

  #renewed(): void {
    // A watch that does not show them has ended, whatever it says.
    if (this.#lease.unseenRenewals >= UNSEEN_RENEWALS) this.#follow().catch(() => {}); // the next renewal tries again
    this.#changed();
    this.#decideSoon();
  }

  #decideSoon(): void {
    this.#mustDecide = true;
    this.#deciding ??= this.#decide().finally(() => {
      this.#deciding = undefined;
    });
  }

  async #decide(): Promise<void> {
    while (this.#mustDecide && !this.#closing.signal.aborted) {
      this.#mustDecide = false;
      await new Promise(setImmediate); // what was changed together is decided together
      if (!this.#lease.isValid || !this.#view.isController) continue;
      await this.#decideOwners().catch(() => {}); // the next renewal decides again
    }
  }

  async #decideOwners(): Promise<void> {
    const { owners, ownersRevision, candidates, partitions, expired } = this.#view;
    const next = spread(owners, candidates, partitions);
    // If another broker has changed them, the watch shows that, and this is decided again.
    if (!areSame(owners, next)) await this.#bucket.set(OWNERS_KEY, encodeOwners(next), ownersRevision);
    for (const [broker, { revision }] of expired) await this.#bucket.delete(leaseKey(broker), revision);
  }

  /** Resolves to whether something becomes true within `leaseMs`. */
  async #becomes(isTrue: () => boolean): Promise<boolean> {
    const deadline = performance.now() + this.#options.leaseMs;
    while (!isTrue()) {
      if (this.#closing.signal.aborted || performance.now() > deadline) return false;
      await sleep(ASK_EVERY_MS, this.#closing.signal);
    }
    return true;
  }
}
