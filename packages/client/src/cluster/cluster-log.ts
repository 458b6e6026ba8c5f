/**
 * The log of a cluster: calls for a partition or group go to the broker that owns it, as far as it
 * is known and can be reached, and otherwise to a seed, which passes them on. With a single broker
 * the seed is the owner of everything. See docs/cluster.md.
 */
import { sleep, UnavailableError } from "@logstore/codec";
import type {
  CommitOffsetsRequest,
  CommitResult,
  CommittedOffset,
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  FetchOptions,
  FetchRequest,
  FetchResult,
  GroupMembership,
  JoinGroupRequest,
  LogApi,
  ProduceAck,
  ProduceRequest,
  TopicDescription,
  TopicPartition,
} from "@logstore/protocol";
import { hasCode, retryDelayMs } from "../common/retry.js";
import { checkJoin } from "../grpc/check-group-request.js";
import type { ConnectOptions } from "../grpc/connect-options.js";
import { GrpcLogApi } from "../grpc/grpc-log-api.js";
import { AppendLane } from "./append-lane.js";
import { OwnerConnections } from "./owner-connections.js";
import { RoutedMembership } from "./routed-membership.js";
import { keyOf, type Owned, Routes } from "./routes.js";
import { Ways } from "./ways.js";

/** How often a stream that has not begun follows its owner at once. */
const MAX_HOPS = 3;
const DEFAULT_TIMEOUT_MS = 30_000;

export class ClusterLog implements LogApi {
  readonly #seed: GrpcLogApi;
  readonly #owners: OwnerConnections;
  readonly #routes = new Routes();
  readonly #ways: Ways;
  /** Those with appends that are not answered, by key. */
  readonly #lanes = new Map<string, AppendLane>();
  readonly #closing = new AbortController();
  readonly #timeoutMs: number;

  readonly describeServer: LogApi["describeServer"] = () => this.#seed.describeServer();
  readonly createTopic: LogApi["createTopic"] = async (request) => this.#note(await this.#seed.createTopic(request));
  readonly listTopics: LogApi["listTopics"] = () => this.#seed.listTopics();
  readonly describeTopic: LogApi["describeTopic"] = async (topic) => this.#note(await this.#seed.describeTopic(topic));
  readonly alterTopicConfig: LogApi["alterTopicConfig"] = (...args) => this.#seed.alterTopicConfig(...args);
  readonly deleteTopic: LogApi["deleteTopic"] = (...args) => this.#seed.deleteTopic(...args);
  readonly deleteRecords: LogApi["deleteRecords"] = (...args) => this.#seed.deleteRecords(...args);
  readonly createSnapshot: LogApi["createSnapshot"] = (...args) => this.#seed.createSnapshot(...args);
  readonly listSnapshots: LogApi["listSnapshots"] = (topic) => this.#seed.listSnapshots(topic);
  readonly deleteSnapshot: LogApi["deleteSnapshot"] = (...args) => this.#seed.deleteSnapshot(...args);
  readonly restoreSnapshot: LogApi["restoreSnapshot"] = (...args) => this.#seed.restoreSnapshot(...args);
  readonly listOffsets: LogApi["listOffsets"] = (request) => this.#seed.listOffsets(request);
  readonly allocateProducerId: LogApi["allocateProducerId"] = () => this.#seed.allocateProducerId();
  readonly listGroups: LogApi["listGroups"] = () => this.#seed.listGroups();
  readonly describeGroup: LogApi["describeGroup"] = (group) => this.#seed.describeGroup(group);
  readonly resetOffsets: LogApi["resetOffsets"] = (request) => this.#seed.resetOffsets(request);
  readonly deleteGroup: LogApi["deleteGroup"] = (group) => this.#seed.deleteGroup(group);

  /** @throws InvalidArgumentError as for {@link GrpcLogApi} */
  constructor(addresses: string | readonly string[], options: ConnectOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#seed = new GrpcLogApi(addresses, options);
    const strictSeed = new GrpcLogApi(addresses, { ...options, ownerOnly: true }, { shared: this.#seed });
    this.#owners = new OwnerConnections(options);
    const closing = this.#closing.signal;
    this.#ways = new Ways({ seed: this.#seed, strictSeed, owners: this.#owners, routes: this.#routes, closing });
  }

  produce(request: ProduceRequest): Promise<ProduceAck> {
    const { topic, partition } = request;
    const key = keyOf(request);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new AppendLane(this.#ways, { topic, partition }, () => this.#lanes.delete(key));
      this.#lanes.set(key, lane);
    }
    return lane.produce(request);
  }

  async *consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncGenerator<ConsumeEvent, void, undefined> {
    for (let hops = 0; ; hops++) {
      const way = await this.#ways.of(request);
      let hasBegun = false;
      way.enter();
      try {
        for await (const event of way.log.consume(request, options)) {
          hasBegun = true;
          yield event;
        }
        return;
      } catch (error) {
        const isWrong = this.#ways.failed(request, way, error);
        if (!isWrong || hasBegun || hops >= MAX_HOPS) throw error;
      } finally {
        way.leave();
      }
    }
  }

  fetch(request: FetchRequest, options?: FetchOptions): Promise<FetchResult> {
    return this.#ask(request, (log) => log.fetch(request, options));
  }

  joinGroup(request: JoinGroupRequest): GroupMembership {
    checkJoin(request);
    return new RoutedMembership(this.#ways, request);
  }

  commitOffsets(request: CommitOffsetsRequest): Promise<CommitResult[]> {
    return this.#ask(request, (log) => log.commitOffsets(request));
  }

  fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#ask({ group }, (log) => log.fetchOffsets(group, partitions));
  }

  /** Ends every call under way with a ClosedError, and closes all connections. */
  close(): void {
    this.#closing.abort();
    this.#owners.close();
    this.#seed.close();
  }

  /** Calls the owner, and the next one where that is not the owner any more, within `timeoutMs`. */
  async #ask<Answer>(owned: Owned, call: (log: LogApi) => Promise<Answer>): Promise<Answer> {
    const deadline = performance.now() + this.#timeoutMs;
    for (let attempt = 0; ; attempt++) {
      const way = await this.#ways.of(owned);
      way.enter();
      try {
        return await call(way.log);
      } catch (error) {
        if (!this.#ways.failed(owned, way, error)) throw error;
        const pauseMs = retryDelayMs(attempt, error);
        if (performance.now() + pauseMs >= deadline) throw asUnavailable(error);
        await sleep(pauseMs, this.#closing.signal);
      } finally {
        way.leave();
      }
    }
  }

  #note(description: TopicDescription): TopicDescription {
    this.#routes.describe(description);
    return description;
  }
}

/** The caller did not ask for an owner. */
function asUnavailable(error: unknown): unknown {
  if (!hasCode(error, "NOT_OWNER")) return error;
  return new UnavailableError((error as Error).message, {}, { cause: error });
}
