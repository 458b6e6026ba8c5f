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
  renewed(): void;
  /** An attempt to renew it failed. */
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

  /** Number of renewals since the last one that was seen. */
  get unseenRenewals(): number {
    return this.#sentAt.size;
  }

  /** Takes the lease, also from an earlier process of this name, and keeps renewing it. */
  async begin(): Promise<void> {
    this.#revision = (await this.#bucket.get(this.#key))?.revision ?? 0;
    await this.renew();
  }

  /** The watch has shown this lease. */
  seen({ incarnation, renewal }: Lease): void {
    if (incarnation !== this.incarnation) return; // an earlier process
    const sentAt = this.#sentAt.get(renewal);
    if (sentAt !== undefined) this.#extend(sentAt + this.#options.leaseMs);
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
      this.#next = startTimer(this.#options.leaseMs / 3, () => void this.renew(), { keepsAlive: false });
      this.#options.renewed();
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

  async #renew(): Promise<void> {
    const { address } = this.#options;
    const isDraining = this.#isDraining || this.#isOnStandby;
    const lease = { incarnation: this.incarnation, renewal: ++this.#renewal, address, isDraining };
    this.#sentAt.set(lease.renewal, performance.now());
    const revision = await this.#bucket.set(this.#key, encodeLease(lease), this.#revision);
    if (revision !== undefined) this.#revision = revision;
    else await this.#learn();
  }

  /** The key has another revision than expected; finds out why. */
  async #learn(): Promise<void> {
    const entry = await this.#bucket.get(this.#key);
    this.#revision = entry?.revision ?? 0; // it had expired, or an earlier renewal was stored after all
    if (entry === undefined || decodeLease(this.#key, entry.value).incarnation === this.incarnation) return;
    this.#isOver = true;
    const { broker } = this.#options;
    this.#options.taken(
      new LockedError(`another process has taken the name of broker ${broker}: give each broker a name of its own`),
    );
  }
}
