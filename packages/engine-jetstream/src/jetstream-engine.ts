/** An engine that stores partitions, topics and groups in a NATS JetStream cluster. */
import { randomBytes } from "node:crypto";
import { InvalidArgumentError, type LogStoreError, startInterval, type Timer, UnavailableError } from "@logstore/codec";
import type { Cluster, Durability, DurableMap, Engine, JournalStore, TopicCatalogue } from "@logstore/core/engine";
import { JetStreamCatalogue } from "./catalogue/jetstream-catalogue.js";
import { JetStreamCluster } from "./cluster/jetstream-cluster.js";
import { JetStreamMap } from "./durable-map.js";
import { tellSafely } from "./events/jetstream-events.js";
import { JetStreamJournal } from "./journal/jetstream-journal.js";
import { Bucket } from "./nats/bucket.js";
import { available, unavailable } from "./nats/failures.js";
import { Names, sharedJournal } from "./nats/names.js";
import { connectNats, type Nats } from "./nats/nats.js";
import { askWhetherSyncsAlways } from "./nats/sync-check.js";
import { type CheckedOptions, checkedOptions, type JetStreamEngineOptions } from "./options.js";
import { MessageCache } from "./partition/message-cache.js";

const UPKEEP_EVERY_MS = 60_000;

/** What appends may ask for now. The logs of the engine look at it. */
interface OfferedDurabilities {
  durabilities: readonly Durability[];
  notFlushed?: LogStoreError;
}

/** Keeps topics, records and groups in NATS JetStream. Several brokers may share them. */
export class JetStreamEngine implements Engine {
  readonly name = "JetStream";
  readonly catalogue: TopicCatalogue;
  readonly map: DurableMap;
  readonly journal: JournalStore;
  readonly cluster: Cluster | undefined;
  readonly #nats: Nats;
  readonly #joined: JetStreamCluster | undefined;
  readonly #catalogue: JetStreamCatalogue;
  readonly #retention: Timer;
  readonly #options: CheckedOptions;
  readonly #offered: OfferedDurabilities;
  #healthChanged = () => {};
  #failure: LogStoreError | undefined;
  #isClosed = false;

  private constructor(nats: Nats, bucket: Bucket, cluster: JetStreamCluster | undefined, options: CheckedOptions) {
    const { namespace, broker, appendTimeoutMs, cacheBytes } = options;
    const names = new Names(namespace);
    this.#nats = nats;
    this.#options = options;
    this.#offered = { durabilities: durabilitiesOf(options) };
    const context = Object.assign(this.#offered, {
      cache: new MessageCache(cacheBytes),
      broker,
      appendTimeoutMs,
      now: () => this.now(),
      healthChanged: () => this.#healthChanged(),
      tell: tellSafely(options.onEvent),
      // The election of a leader takes up to 8 s. By default, shorter outages are not reported.
      quorumLostAfterMs: 2 * options.requestTimeoutMs,
    });
    // What a topic may be configured with stays, whatever is offered later.
    const { durabilities } = this.#offered;
    const limits = {
      durabilities,
      get maxBatchBytes() {
        return nats.maxBodyBytes;
      },
    };
    this.#catalogue = new JetStreamCatalogue(nats, names, bucket, context, limits, cluster);
    this.catalogue = this.#catalogue;
    this.map = new JetStreamMap(bucket);
    this.journal = new JetStreamJournal(nats, names, bucket, context, broker);
    this.#joined = cluster;
    if (cluster !== undefined) {
      const shared = (i: number) =>
        new JetStreamJournal(nats, names, bucket, context, sharedJournal(i), cluster.journal(i));
      const journals = Array.from({ length: cluster.journalCount }, (_, i) => shared(i));
      this.cluster = clusterOf(cluster, journals);
      cluster.onFailure((error) => this.#failed(error));
      cluster.onLease(() => this.#healthChanged());
      cluster.onChange(() => {
        for (const journal of journals) journal.ownersChanged();
      });
    }
    this.#retention = startInterval(UPKEEP_EVERY_MS, () => this.#upkeep(), { keepsAlive: false });
    void nats.connection.closed().then((error) => {
      if (this.#isClosed) return;
      this.#failed(unavailable("the connection to NATS has ended", error ?? "it was closed"));
    });
  }

  get maxBatchBytes(): number {
    return this.#nats.maxBodyBytes;
  }

  get durabilities(): readonly Durability[] {
    return this.#offered.durabilities;
  }

  /** @throws InvalidArgumentError; UnavailableError if the cluster cannot be reached */
  static async open(options: JetStreamEngineOptions = {}): Promise<JetStreamEngine> {
    const checked = checkedOptions(options);
    const without = await serversWithoutSync(checked);
    if (without !== undefined) throw notAsDeclared(without);
    const nats = await connectNats(checked);
    let cluster: JetStreamCluster | undefined;
    try {
      const opening = Bucket.open(nats, checked.namespace);
      const bucket = await available("topics cannot be read from NATS", opening);
      const { broker, address, leaseMs, standby, onEvent } = checked;
      if (address !== undefined) {
        const own = { broker, address, leaseMs, standby, tell: tellSafely(onEvent) };
        const joining = JetStreamCluster.enter(bucket, own);
        cluster = await available("the other brokers cannot be found in NATS", joining);
      }
      const engine = new JetStreamEngine(nats, bucket, cluster, checked);
      await available("topics cannot be watched in NATS", engine.#catalogue.start());
      return engine;
    } catch (error) {
      await cluster?.close();
      await nats.connection.close();
      throw error;
    }
  }

  /**
   * Set when the connection has ended for good, for instance because the credentials have expired.
   */
  get failure(): LogStoreError | undefined {
    return this.#failure;
  }

  /** Set while this broker has no lease, because NATS cannot be reached or has no quorum. */
  get unavailable(): LogStoreError | undefined {
    if (this.#joined === undefined || this.#joined.hasLease) return undefined;
    return unavailable("this broker has no lease", "it could not be renewed in NATS");
  }

  onHealth(changed: () => void): void {
    this.#healthChanged = changed;
  }

  now(): number {
    return Date.now();
  }

  randomHex(byteCount: number): string {
    return randomBytes(byteCount).toString("hex");
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retention.cancel();
    try {
      await this.#catalogue.close();
      await this.#joined?.close();
    } finally {
      await this.#nats.connection.close();
    }
  }

  #upkeep(): void {
    void this.#catalogue.applyRetention();
    void this.#checkSync();
  }

  /** `flushed` is not offered again: what was stored meanwhile may not be on disk. */
  async #checkSync(): Promise<void> {
    if (this.#offered.notFlushed !== undefined) return;
    const without = await serversWithoutSync(this.#options);
    if (without === undefined || this.#isClosed) return;
    const error = new UnavailableError(
      `flushed is not offered any more, because ${without} does not have sync_interval: always: ` +
        "configure it, and restart this broker; or ask for another durability",
    );
    this.#offered.notFlushed = error;
    this.#offered.durabilities = this.#offered.durabilities.filter((each) => each !== "flushed");
    tellSafely(this.#options.onEvent)({ type: "sync_lost", error });
    this.#healthChanged();
  }

  #failed(error: LogStoreError): void {
    this.#failure ??= error;
    this.#healthChanged();
  }
}

function clusterOf(cluster: JetStreamCluster, journals: readonly JournalStore[]): Cluster {
  return {
    journals,
    owner: (topicId, partition) => cluster.owner(topicId, partition),
    journalOwner: (journal) => cluster.journalOwner(journal),
    get otherAddresses() {
      return cluster.otherAddresses;
    },
    onChange: (changed) => cluster.onChange(changed),
    join: () => cluster.join(),
    drain: () => cluster.drain(),
  };
}

/** Those that answer so, although it was declared that all of them sync always. */
async function serversWithoutSync(options: CheckedOptions): Promise<string | undefined> {
  const { syncsAlways, monitoringUrls, requestTimeoutMs, onEvent } = options;
  if (!syncsAlways) return undefined;
  const { without, unasked } = await askWhetherSyncsAlways(monitoringUrls, requestTimeoutMs);
  for (const error of unasked) tellSafely(onEvent)({ type: "sync_unknown", error });
  return without.length > 0 ? without.join(" and ") : undefined;
}

function notAsDeclared(servers: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `${servers} does not have sync_interval: always, as syncsAlways declares: ` +
      "configure it, or leave syncsAlways out, and appends are not flushed",
  );
}

/** What an acknowledgement of NATS means, weakest first. */
function durabilitiesOf({ replicas, syncsAlways }: CheckedOptions): readonly Durability[] {
  const inMemory = replicas === 1 ? "written" : "replicated";
  return syncsAlways ? [inMemory, "flushed"] : [inMemory];
}
