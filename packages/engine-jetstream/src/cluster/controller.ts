/** Decides about owners, while this broker is the controller. See docs/cluster.md. */
import type { LogStoreError } from "@logstore/codec";
import type { Bucket } from "../nats/bucket.js";
import { available } from "../nats/failures.js";
import { leaseKey, OWNERS_KEY } from "../nats/names.js";
import type { ClusterView } from "./cluster-view.js";
import { encodeOwners } from "./owners-record.js";
import { areSame, spread } from "./spread.js";

export interface ControllerOptions {
  /** Whether this broker's lease is valid. */
  mayDecide(): boolean;
  /** Owners could not be changed. */
  failed(error: LogStoreError): void;
}

export class Controller {
  readonly #bucket: Bucket;
  readonly #view: ClusterView;
  readonly #options: ControllerOptions;
  /** The circumstances for which the owners are known to be right. */
  #decidedFor = "";
  #deciding: Promise<void> | undefined;
  #mustDecide = false;

  constructor(bucket: Bucket, view: ClusterView, options: ControllerOptions) {
    this.#bucket = bucket;
    this.#view = view;
    this.#options = options;
  }

  /** Called after each change, and with each renewal of the lease. */
  wake(): void {
    this.#mustDecide = true;
    this.#deciding ??= this.#run();
  }

  /** Resolves when no decision is being written. */
  async settle(): Promise<void> {
    await this.#deciding;
  }

  async #run(): Promise<void> {
    while (this.#mustDecide) {
      await new Promise(setImmediate); // what was changed together is decided together
      this.#mustDecide = false;
      if (!this.#options.mayDecide() || !this.#view.isController) continue;
      // The next renewal decides again.
      await available("the owners of partitions cannot be changed", this.#decide()).catch(this.#options.failed);
    }
    this.#deciding = undefined; // at once: the next change starts it again
  }

  async #decide(): Promise<void> {
    const { owners, ownersRevision, candidates, topicsRevision, partitions, expired } = this.#view;
    const circumstances = [ownersRevision, topicsRevision, ...candidates].join();
    if (circumstances !== this.#decidedFor) {
      const next = spread(owners, candidates, partitions);
      // If another broker has changed them, the watch shows that, and this is decided again.
      if (areSame(owners, next)) this.#decidedFor = circumstances;
      else await this.#bucket.set(OWNERS_KEY, encodeOwners(next, this.#bucket.maxValueBytes), ownersRevision);
    }
    for (const [broker, { revision }] of expired) await this.#bucket.delete(leaseKey(broker), revision);
  }
}
