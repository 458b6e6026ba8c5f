/**
 * The consumer groups of a broker. They are opened once every topic is open, because committed
 * offsets are compared with the ends of the logs.
 */
import { type LogStoreError, sleep, UnavailableError } from "@logstore/codec";
import type { Engine } from "../engine/engine.js";
import { GroupCoordinator, type GroupCoordinatorOptions } from "../group/group-coordinator.js";
import type { TopicLifecycle } from "./topics/topic-lifecycle.js";
import { topicsForGroups } from "./topics-for-groups.js";

/** When to retry a call to groups that are being opened, in ms. */
const OPENING_RETRY_MS = 250;

export class BrokerGroups {
  readonly #engine: Engine;
  readonly #lifecycle: TopicLifecycle;
  readonly #opened: Promise<void>;
  #coordinator: GroupCoordinator | undefined;
  readonly #stop = new AbortController();

  constructor(engine: Engine, lifecycle: TopicLifecycle, options: GroupCoordinatorOptions) {
    this.#engine = engine;
    this.#lifecycle = lifecycle;
    this.#opened = this.#open(options);
  }

  /** Resolves when every topic and the groups are open, or could not be opened. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  get areOpen(): boolean {
    return this.#coordinator !== undefined;
  }

  /** Why groups are unavailable, if opening them failed or their log has failed since. */
  get failure(): LogStoreError | undefined {
    return this.#coordinator?.failure;
  }

  /** @throws UnavailableError until the groups are open */
  get coordinator(): GroupCoordinator {
    if (this.#coordinator !== undefined) return this.#coordinator;
    this.#lifecycle.topics.checkAllOpen();
    throw new UnavailableError("consumer groups are being opened: try again", { retryAfterMs: OPENING_RETRY_MS });
  }

  /** Called when topics were created. Groups that are not open yet find them when they are. */
  topicsChanged(): void {
    this.#coordinator?.topicsChanged();
  }

  /** Groups that are not open yet will not be opened. */
  stopOpening(): void {
    this.#stop.abort();
  }

  async close(): Promise<void> {
    await this.#opened.catch(() => {});
    await this.#coordinator?.close();
  }

  async #open(options: GroupCoordinatorOptions): Promise<void> {
    await this.#lifecycle.opened;
    if (this.#stop.signal.aborted) return;
    const { topics, following } = this.#lifecycle;
    following.onCreated = () => this.topicsChanged();
    const deleted: string[] = [];
    following.onDeleted = async (topic) => {
      if (this.#coordinator === undefined) deleted.push(topic);
      else await this.#coordinator.topicDeleted(topic);
    };
    const coordinator = await this.#openCoordinator(options);
    if (coordinator === undefined) return;
    this.#coordinator = coordinator;
    // What changed while the groups were being recovered.
    for (const topic of deleted) void coordinator.topicDeleted(topic); // the journal reports its failure
    coordinator.topicsChanged();
    topics.tellChanged();
  }

  /** Tries again while the engine is unavailable: its groups are not lost. */
  async #openCoordinator(options: GroupCoordinatorOptions): Promise<GroupCoordinator | undefined> {
    const topics = topicsForGroups(this.#lifecycle, this.#engine);
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const coordinator = await GroupCoordinator.open(this.#engine, topics, options);
      const { failure } = coordinator;
      if (!(failure instanceof UnavailableError)) return coordinator;
      await coordinator.close().catch(() => {});
      await sleep(failure.retryAfterMs ?? OPENING_RETRY_MS, signal);
    }
    return undefined;
  }
}
