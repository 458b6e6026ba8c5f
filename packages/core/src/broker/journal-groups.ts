/**
 * The consumer groups of one journal. They are opened once every topic is open, because committed
 * offsets are compared with the ends of the logs.
 */
import { type LogStoreError, sleep, UnavailableError } from "@logstore/codec";
import type { Engine } from "../engine/engine.js";
import { GroupCoordinator, type GroupCoordinatorOptions } from "../group/group-coordinator.js";
import { allDecided, type Decided } from "../group/members/inbox.js";
import type { GroupTopics } from "../group/state/group-topics.js";

/** When to try again to open groups, in ms, unless the error says it. */
const OPENING_RETRY_MS = 250;

export interface JournalGroupsOptions {
  readonly engine: Pick<Engine, "journal" | "now" | "randomHex">;
  readonly topics: GroupTopics;
  readonly coordinator: GroupCoordinatorOptions;
  /** Resolves when every topic is open. */
  readonly topicsOpened: Promise<void>;
}

export class JournalGroups {
  readonly #options: JournalGroupsOptions;
  readonly #opened: Promise<void>;
  readonly #stop = new AbortController();
  /** Topics that were deleted before the groups were open. */
  readonly #deleted: string[] = [];
  #coordinator: GroupCoordinator | undefined;

  constructor(options: JournalGroupsOptions) {
    this.#options = options;
    this.#opened = this.#open();
  }

  /** Resolves when the groups are open, or could not be opened. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  /** Undefined until the groups are open. */
  get coordinator(): GroupCoordinator | undefined {
    return this.#coordinator;
  }

  /** Why groups are unavailable, if opening them failed or their log has failed since. */
  get failure(): LogStoreError | undefined {
    return this.#coordinator?.failure;
  }

  topicsChanged(): void {
    this.#coordinator?.topicsChanged();
  }

  /** Resolves when the topic's offsets have been removed, or will be when the groups are open. */
  async topicDeleted(topic: string): Promise<Decided> {
    if (this.#coordinator !== undefined) return this.#coordinator.topicDeleted(topic);
    this.#deleted.push(topic);
    return allDecided([]);
  }

  /** Groups that are not open yet will not be opened. */
  stopOpening(): void {
    this.#stop.abort();
  }

  /** @param why see {@link GroupCoordinator.close} */
  async close(why?: LogStoreError): Promise<void> {
    this.stopOpening();
    await this.#opened.catch(() => {});
    await this.#coordinator?.close(why);
  }

  async #open(): Promise<void> {
    await this.#options.topicsOpened;
    const coordinator = await this.#openCoordinator();
    if (coordinator === undefined) return;
    this.#coordinator = coordinator;
    // What changed while the groups were being recovered.
    for (const topic of this.#deleted) void coordinator.topicDeleted(topic); // the journal reports its failure
    coordinator.topicsChanged();
  }

  /** Tries again while the engine is unavailable: its groups are not lost. */
  async #openCoordinator(): Promise<GroupCoordinator | undefined> {
    const { engine, topics, coordinator: options } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const coordinator = await GroupCoordinator.open(engine, topics, options);
      const { failure } = coordinator;
      if (!(failure instanceof UnavailableError)) return coordinator;
      await coordinator.close().catch(() => {});
      await sleep(failure.retryAfterMs ?? OPENING_RETRY_MS, signal);
    }
    return undefined;
  }
}
