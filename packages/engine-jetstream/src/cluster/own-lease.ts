/** The lease of this broker: renews it, and knows until when it is valid. See docs/cluster.md. */
import { randomUUID } from "node:crypto";
import { LockedError, type LogStoreError, startTimer, type Timer } from "@logstore/codec";
import type { Bucket } from "../nats/bucket.js";
import { leaseKey } from "../nats/names.js";
import { decodeLease, encodeLease, type Lease } from "./lease-record.js";

export interface LeaseOptions {
  readonly broker: string;
  readonly address: string;
  /** How long the lease is valid after it was renewed, in ms. */
  readonly leaseMs: number;
  /** Whether it begins as that of a broker that is to own nothing. */
  readonly standby: boolean;
  /** Called after each attempt to renew it, successful or not. */
  attempted(): void;
  /** An attempt to renew it failed, or was not answered. */
  renewalFailed(error: unknown): void;
  /** It has expired, or is valid again. */
  validityChanged(isValid: boolean): void;
  /** Another process has the same name: the lease is not renewed any more. */
  taken(error: LogStoreError): void;
}

export class OwnLease {
  /** Random id of this process. */
  readonly incarnation = randomUUID();
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #options: LeaseOptions;
  /** When each renewal that was not seen yet was sent, by `performance.now()`. */
  readonly #sentAt = new Map<number, number>();
  #renewal = 0;
  #revision = 0;
  /** When the revision was learned: the lease was stored before. */
  #learnedAt = 0;
  /** When the last renewal was sent. */
  #triedAt = 0;
  /** Number of renewals that were stored since the last one that was seen. */
  #unseen = 0;
  #validUntil = 0;
  #isOnStandby: boolean;
  #isDraining = false;
  #next: Timer | undefined;
  #expiry: Timer | undefined;
  #wasValid = false;
  #renewing: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(bucket: Bucket, options: LeaseOptions) {
    this.#bucket = bucket;
    this.#key = leaseKey(options.broker);
    this.#options = options;
    this.#isOnStandby = options.standby;
  }

  get isValid(): boolean {
    return performance.now() < this.#validUntil && !this.#isOver;
  }

  /** Number of renewals that were stored since the last one that was seen. */
  get unseenRenewals(): number {
    return this.#unseen;
  }

  /** Takes the lease, also from an earlier process of this name, and keeps renewing it. */
  async begin(): Promise<void> {
    this.#learn((await this.#bucket.get(this.#key))?.revision);
    await this.renew();
  }

  /** The watch has shown this lease. */
  seen({ incarnation, renewal }: Lease, revision: number): void {
    if (incarnation !== this.incarnation) return; // an earlier process
    this.#unseen = 0;
    const sentAt = this.#sentAt.get(renewal);
    if (sentAt !== undefined) {
      if (revision > this.#revision) this.#learn(revision); // the answer is late, or lost
      this.#extend(sentAt + this.#options.leaseMs);
    }
    for (const earlier of this.#sentAt.keys()) if (earlier <= renewal) this.#sentAt.delete(earlier);
  }

  async join(): Promise<void> {
    if (!this.#isOnStandby) return;
    this.#isOnStandby = false;
    await this.renew();
  }

  drain(): Promise<void> {
    this.#isDraining = true;
    return this.renew();
  }

  /** Renews the lease now, and at intervals after that. Never rejects. */
  renew(): Promise<void> {
    this.#renewing = this.#renewing.then(async () => {
      this.#next?.cancel();
      if (this.#isOver) return;
      await this.#renew().catch((error) => this.#options.renewalFailed(error)); // the next attempt is soon
      if (this.#isOver) return;
      this.#renewInTime();
      this.#options.attempted();
    });
    return this.#renewing;
  }

  /** Gives the lease up. */
  async end(): Promise<void> {
    const isTaken = this.#isOver; // then the key is another process's
    this.#isOver = true;
    this.#next?.cancel();
    this.#expiry?.cancel();
    await this.#renewing;
    if (!isTaken) await this.#bucket.delete(this.#key, this.#revision);
  }

  /**
   * Renews the lease a third of `leaseMs` after the renewal before was known to be stored. One that
   * is not known to be is sent again a third after it was sent.
   */
  #renewInTime(): void {
    const leftMs = Math.max(this.#triedAt, this.#learnedAt) + this.#thirdMs - performance.now();
    if (leftMs <= 0) void this.renew();
    else this.#next = startTimer(leftMs, () => this.#renewInTime(), { keepsAlive: false });
  }

  get #thirdMs(): number {
    return this.#options.leaseMs / 3;
  }

  #learn(revision = 0): void {
    this.#revision = revision;
    this.#learnedAt = performance.now();
  }

  #extend(validUntil: number): void {
    this.#validUntil = validUntil;
    this.#expiry?.cancel();
    const leftMs = Math.max(validUntil - performance.now(), 0) + 1;
    this.#expiry = startTimer(leftMs, () => this.#noteValidity(), { keepsAlive: false });
    this.#noteValidity();
  }

  #noteValidity(): void {
    const { isValid } = this;
    if (isValid === this.#wasValid) return;
    this.#wasValid = isValid;
    this.#options.validityChanged(isValid);
  }

  /**
   * Renews the lease once. What is not answered within a third of `leaseMs` is sent again, on
   * condition that the lease is still the one before: at most one of these is stored.
   */
  async #renew(): Promise<void> {
    const { address, leaseMs } = this.#options;
    const isDraining = this.#isDraining || this.#isOnStandby;
    const lease = { incarnation: this.incarnation, renewal: ++this.#renewal, address, isDraining };
    const now = performance.now();
    for (const [earlier, sentAt] of this.#sentAt) if (sentAt + leaseMs <= now) this.#sentAt.delete(earlier);
    this.#sentAt.set(lease.renewal, now);
    this.#triedAt = now;
    const revision = await this.#bucket.set(this.#key, encodeLease(lease), this.#revision, this.#thirdMs);
    if (revision === undefined) return this.#find();
    this.#learn(revision);
    if (this.#sentAt.has(lease.renewal)) this.#unseen++;
  }

  /** The key has another revision than expected; finds out why. */
  async #find(): Promise<void> {
    const entry = await this.#bucket.get(this.#key);
    this.#learn(entry?.revision); // it had expired, or an earlier renewal was stored after all
    if (entry === undefined || decodeLease(this.#key, entry.value).incarnation === this.incarnation) return;
    this.#isOver = true;
    const { broker } = this.#options;
    this.#options.taken(
      new LockedError(`another process has taken the name of broker ${broker}: give each broker a name of its own`),
    );
  }
}
