/** What the bucket says about brokers, topics and owners, in the order in which it was changed. */
import { decodeTopic } from "../catalogue/topic-record.js";
import { brokerOf, isLeaseKey, isTopicKey, OWNERS_KEY, topicOf } from "../nats/names.js";
import { decodeLease, type Lease } from "./lease-record.js";
import { decodeOwners, type Owners } from "./owners-record.js";

/**
 * A lease has expired when so many renewals of this broker's own have been seen since it changed.
 * A broker considers its own lease valid for one renewal less: see docs/cluster.md.
 */
const EXPIRED_AFTER_RENEWALS = 4;

/** A change of a key. */
export interface SeenEntry {
  readonly key: string;
  /** Undefined: the key was deleted. */
  readonly value: Uint8Array | undefined;
  readonly revision: number;
}

/** The lease of a broker, as it was last seen. */
export interface SeenLease extends Lease {
  readonly revision: number;
  /** Number of own renewals that had been seen before. */
  readonly seenAfter: number;
}

export class ClusterView {
  readonly #broker: string;
  readonly #incarnation: string;
  readonly #leases = new Map<string, SeenLease>();
  /** By key. */
  readonly #topics = new Map<string, { readonly id: string; readonly partitions: number }>();
  #owners: Owners | undefined;
  #ownersRevision = 0;
  #topicsRevision = 0;
  #ownRenewals = 0;

  /**
   * @param broker name of this broker
   * @param incarnation id of this process
   */
  constructor(broker: string, incarnation: string) {
    this.#broker = broker;
    this.#incarnation = incarnation;
  }

  /** Undefined in a new cluster. */
  get owners(): Owners | undefined {
    return this.#owners;
  }

  /** Revision of the owners' key; 0 if it was never set. */
  get ownersRevision(): number {
    return this.#ownersRevision;
  }

  /** Changes whenever {@link partitions} may have changed. */
  get topicsRevision(): number {
    return this.#topicsRevision;
  }

  /** The number of partitions by topic id. */
  get partitions(): ReadonlyMap<string, number> {
    return new Map([...this.#topics.values()].map(({ id, partitions }) => [id, partitions]));
  }

  /** @throws NotALogStoreError, UnsupportedFormatVersionError */
  see({ key, value, revision }: SeenEntry): void {
    if (key === OWNERS_KEY) {
      this.#owners = value && decodeOwners(key, value);
      this.#ownersRevision = revision;
    } else if (isLeaseKey(key)) {
      this.#seeLease(brokerOf(key), value && decodeLease(key, value), revision);
    } else if (isTopicKey(key)) {
      this.#topicsRevision = revision;
      if (value === undefined) this.#topics.delete(key);
      else this.#topics.set(key, decodeTopic(topicOf(key), value));
    }
  }

  #seeLease(broker: string, lease: Lease | undefined, revision: number): void {
    if (lease === undefined) {
      this.#leases.delete(broker);
      return;
    }
    if (this.#leases.get(broker)?.revision === revision) return; // a watch that was begun anew repeats it
    // A draining broker renews its lease early, so that its renewals measure no time.
    if (lease.incarnation === this.#incarnation && !lease.isDraining) this.#ownRenewals++;
    this.#leases.set(broker, { ...lease, revision, seenAfter: this.#ownRenewals });
  }

  /** The broker's lease, unless it has expired. */
  lease(broker: string): SeenLease | undefined {
    const lease = this.#leases.get(broker);
    return lease !== undefined && !this.#isExpired(lease) ? lease : undefined;
  }

  /** The brokers whose leases have not expired, by name. */
  get alive(): string[] {
    return [...this.#leases.keys()].filter((broker) => this.lease(broker) !== undefined).sort();
  }

  /** Leases that have expired and not been deleted yet. */
  get expired(): [broker: string, lease: SeenLease][] {
    return [...this.#leases].filter(([, lease]) => this.#isExpired(lease));
  }

  /** Those that may own something: the draining ones only if there are no others. */
  get candidates(): string[] {
    const { alive } = this;
    const staying = alive.filter((broker) => !this.#leases.get(broker)!.isDraining);
    return staying.length > 0 ? staying : alive;
  }

  /** Whether it is this broker's turn to decide about owners. */
  get isController(): boolean {
    return this.alive[0] === this.#broker;
  }

  #isExpired({ seenAfter }: SeenLease): boolean {
    return this.#ownRenewals - seenAfter >= EXPIRED_AFTER_RENEWALS;
  }
}
