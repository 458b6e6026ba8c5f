/** Decides about owners, while this broker is the controller. See docs/cluster.md. */
import type { Bucket } from "../nats/bucket.js";
import { leaseKey, OWNERS_KEY } from "../nats/names.js";
import type { ClusterView } from "./cluster-view.js";
import { encodeOwners } from "./owners-record.js";
import { areSame, spread } from "./spread.js";

export class Controller {
  readonly #bucket: Bucket;
  readonly #view: ClusterView;
  readonly #mayDecide: () => boolean;
  /** The circumstances for which the owners are known to be right. */
  #decidedFor = "";
  #deciding: Promise<void> | undefined;
  #mustDecide = false;

  /** @param mayDecide whether this broker's lease is valid */
  constructor(bucket: Bucket, view: ClusterView, mayDecide: () => boolean) {
    this.#bucket = bucket;
    this.#view = view;
    this.#mayDecide = mayDecide;
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
      if (!this.#mayDecide() || !this.#view.isController) continue;
      await this.#decide().catch(() => {}); // the next renewal decides again
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
      else await this.#bucket.set(OWNERS_KEY, encodeOwners(next), ownersRevision);
    }
    for (const [broker, { revision }] of expired) await this.#bucket.delete(leaseKey(broker), revision);
  }
}
