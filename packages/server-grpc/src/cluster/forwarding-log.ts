/**
 * A log that passes on what its broker refuses with NOT_OWNER to the broker that owns it, so that
 * callers may ask any broker of a cluster.
 */
import { LogStoreError, UnavailableError } from "@logstore/codec";
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
import { ForwardedEvents } from "./forwarded-events.js";
import { ForwardedMembership } from "./forwarded-membership.js";
import type { Peers } from "./peers.js";

/** When to ask again if the owner is not known, or has just lost what it owned, in ms. */
const RETRY_MS = 100;

export class ForwardingLog implements LogApi {
  readonly #own: LogApi;
  readonly #peers: Peers;

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
  readonly fetch: LogApi["fetch"] = (...args) => this.#ask((log) => log.fetch(...args));
  readonly deleteRecords: LogApi["deleteRecords"] = (...args) => this.#ask((log) => log.deleteRecords(...args));
  readonly commitOffsets: LogApi["commitOffsets"] = (...args) => this.#ask((log) => log.commitOffsets(...args));
  readonly fetchOffsets: LogApi["fetchOffsets"] = (...args) => this.#ask((log) => log.fetchOffsets(...args));
  readonly describeGroup: LogApi["describeGroup"] = (group) => this.#ask((log) => log.describeGroup(group));
  readonly resetOffsets: LogApi["resetOffsets"] = (request) => this.#ask((log) => log.resetOffsets(request));
  readonly deleteGroup: LogApi["deleteGroup"] = (group) => this.#ask((log) => log.deleteGroup(group));

  constructor(own: LogApi, peers: Peers) {
    this.#own = own;
    this.#peers = peers;
  }

  consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncIterable<ConsumeEvent> {
    const instead = (error: unknown) => this.#ownerIn(error)?.consume(request, options);
    return new ForwardedEvents(this.#own.consume(request, options), { instead, toError: asUnavailable });
  }

  /** If the partitions have several owners, each is looked up by itself. */
  async listOffsets(request: ListOffsetsRequest): Promise<PartitionOffset[]> {
    try {
      return await this.#own.listOffsets(request);
    } catch (error) {
      if (!isNotOwner(error)) throw error;
      const each = request.partitions.map((one) =>
        this.#ask((log) => log.listOffsets({ ...request, partitions: [one] })),
      );
      return (await Promise.all(each)).flat();
    }
  }

  joinGroup(request: JoinGroupRequest, options?: GroupCallOptions): GroupMembership {
    try {
      return this.#own.joinGroup(request, options);
    } catch (error) {
      const owner = this.#ownerIn(error);
      if (owner === undefined) throw asUnavailable(error);
      return new ForwardedMembership(owner.joinGroup(request, options), asUnavailable);
    }
  }

  /** The groups of all brokers. */
  async listGroups(): Promise<GroupSummary[]> {
    const lists = await Promise.all([this.#own, ...this.#peers.others()].map((log) => log.listGroups()));
    // A group that moves meanwhile may be in two lists.
    const groups = new Map(lists.flat().map((group) => [group.group, group]));
    return [...groups.values()].sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  /** Asks the own broker, and then the owner that it names. */
  async #ask<T>(call: (log: LogApi) => Promise<T>): Promise<T> {
    try {
      return await call(this.#own);
    } catch (error) {
      const owner = this.#ownerIn(error);
      if (owner === undefined) throw asUnavailable(error);
      return call(owner).catch((refused) => {
        throw asUnavailable(refused);
      });
    }
  }

  /** The owner that an error names. */
  #ownerIn(error: unknown): LogApi | undefined {
    const address = isNotOwner(error) ? error.address : undefined;
    return address === undefined ? undefined : this.#peers.at(address);
  }
}

function isNotOwner(error: unknown): error is LogStoreError {
  return error instanceof LogStoreError && error.code === "NOT_OWNER";
}

/** The caller did not ask for an owner: it has to try again, at any broker. */
function asUnavailable(error: unknown): unknown {
  if (!isNotOwner(error)) return error;
  const { address: _, ...fields } = error.fields;
  return new UnavailableError(error.message, { retryAfterMs: RETRY_MS, ...fields }, { cause: error });
}
