/**
 * A log that passes on what its broker refuses with NOT_OWNER to the broker that owns it, so that
 * callers may ask any broker of a cluster.
 */
import type {
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  GroupCallOptions,
  GroupMembership,
  GroupSummary,
  JoinGroupRequest,
  ListOffsetsRequest,
  LogApi,
  PartitionOffset,
} from "@logstore/protocol";
import { callersError, isNotOwner, isRefusedPeer } from "./forwarded-errors.js";
import { ForwardedEvents } from "./forwarded-events.js";
import { ForwardedMembership } from "./forwarded-membership.js";
import { listOffsetsOfOwners } from "./list-offsets.js";
import { consumeFromPeer, fetchFromPeer } from "./peer-reads.js";
import type { Peers } from "./peers.js";

/** Interval at which it is reported that other brokers do not accept this one, in ms. */
const WARN_EVERY_MS = 30_000;

export class ForwardingLog implements LogApi {
  readonly #own: LogApi;
  readonly #peers: Peers;
  readonly #onWarning: (message: string, error: unknown) => void;
  /** Monotonic ms. */
  #warnedAt = Number.NEGATIVE_INFINITY;

  readonly describeServer: LogApi["describeServer"] = () => this.#own.describeServer();
  readonly createTopic: LogApi["createTopic"] = (request) => this.#own.createTopic(request);
  readonly listTopics: LogApi["listTopics"] = () => this.#own.listTopics();
  readonly describeTopic: LogApi["describeTopic"] = (topic) => this.#own.describeTopic(topic);
  readonly alterTopicConfig: LogApi["alterTopicConfig"] = (...args) => this.#own.alterTopicConfig(...args);
  readonly deleteTopic: LogApi["deleteTopic"] = (...args) => this.#own.deleteTopic(...args);
  readonly createSnapshot: LogApi["createSnapshot"] = (...args) => this.#own.createSnapshot(...args);
  readonly listSnapshots: LogApi["listSnapshots"] = (topic) => this.#own.listSnapshots(topic);
  readonly deleteSnapshot: LogApi["deleteSnapshot"] = (...args) => this.#own.deleteSnapshot(...args);
  readonly restoreSnapshot: LogApi["restoreSnapshot"] = (...args) => this.#own.restoreSnapshot(...args);
  readonly allocateProducerId: LogApi["allocateProducerId"] = () => this.#own.allocateProducerId();

  readonly produce: LogApi["produce"] = (request) => this.#ask((log) => log.produce(request));
  readonly fetch: LogApi["fetch"] = (...args) =>
    this.#ask(
      (log) => log.fetch(...args),
      (peer) => fetchFromPeer(peer, ...args),
    );
  readonly deleteRecords: LogApi["deleteRecords"] = (...args) => this.#ask((log) => log.deleteRecords(...args));
  readonly commitOffsets: LogApi["commitOffsets"] = (...args) => this.#ask((log) => log.commitOffsets(...args));
  readonly fetchOffsets: LogApi["fetchOffsets"] = (...args) => this.#ask((log) => log.fetchOffsets(...args));
  readonly describeGroup: LogApi["describeGroup"] = (group) => this.#ask((log) => log.describeGroup(group));
  readonly resetOffsets: LogApi["resetOffsets"] = (request) => this.#ask((log) => log.resetOffsets(request));
  readonly deleteGroup: LogApi["deleteGroup"] = (group) => this.#ask((log) => log.deleteGroup(group));

  /** @param onWarning called from time to time while other brokers do not accept this one */
  constructor(own: LogApi, peers: Peers, onWarning: (message: string, error: unknown) => void) {
    this.#own = own;
    this.#peers = peers;
    this.#onWarning = onWarning;
  }

  consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncIterable<ConsumeEvent> {
    const instead = (error: unknown) => {
      const owner = this.#ownerIn(error);
      return owner && consumeFromPeer(owner, request, options);
    };
    return new ForwardedEvents(this.#own.consume(request, options), { instead, toError: this.#toCaller });
  }

  async listOffsets(request: ListOffsetsRequest): Promise<PartitionOffset[]> {
    try {
      return await this.#own.listOffsets(request);
    } catch (error) {
      if (!isNotOwner(error)) throw error;
    }
    const ownerIn = (error: unknown) => {
      const address = isNotOwner(error) ? error.address : undefined;
      if (address === undefined) throw error;
      return address;
    };
    try {
      return await listOffsetsOfOwners(request, this.#own, ownerIn, (address, some) =>
        this.#peers.at(address).listOffsets(some),
      );
    } catch (error) {
      throw this.#toCaller(error);
    }
  }

  joinGroup(request: JoinGroupRequest, options?: GroupCallOptions): GroupMembership {
    try {
      return this.#own.joinGroup(request, options);
    } catch (error) {
      const owner = this.#ownerIn(error);
      if (owner === undefined) throw this.#toCaller(error);
      return new ForwardedMembership(owner.joinGroup(request, options), this.#toCaller);
    }
  }

  /** The groups of all brokers. */
  async listGroups(): Promise<GroupSummary[]> {
    const own = this.#own.listGroups();
    const others = this.#peers.others().map((log) =>
      log.listGroups().catch((error) => {
        throw this.#toCaller(error);
      }),
    );
    const lists = await Promise.all([own, ...others]);
    // A group that moves meanwhile may be in two lists.
    const groups = new Map(lists.flat().map((group) => [group.group, group]));
    return [...groups.values()].sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  /** Asks the own broker, and then the owner that it names. */
  async #ask<T>(call: (own: LogApi) => Promise<T>, callPeer = call): Promise<T> {
    try {
      return await call(this.#own);
    } catch (error) {
      const owner = this.#ownerIn(error);
      if (owner === undefined) throw this.#toCaller(error);
      return callPeer(owner).catch((refused) => {
        throw this.#toCaller(refused);
      });
    }
  }

  /** The owner that an error names. */
  #ownerIn(error: unknown): LogApi | undefined {
    const address = isNotOwner(error) ? error.address : undefined;
    return address === undefined ? undefined : this.#peers.at(address);
  }

  readonly #toCaller = (error: unknown): unknown => {
    const now = performance.now();
    if (isRefusedPeer(error) && now - this.#warnedAt > WARN_EVERY_MS) {
      this.#warnedAt = now;
      this.#onWarning(
        `another broker refuses calls that this one passes on: check its credentials and permissions: ${error.message}`,
        error,
      );
    }
    return callersError(error);
  };
}
