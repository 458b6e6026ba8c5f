/**
 * The consumer groups of a broker: those of its only journal, or of the journals that it owns in a
 * cluster.
 */
import { type LogStoreError, NotOwnerError, UnavailableError } from "@logstore/codec";
import type { GroupSummary } from "@logstore/protocol";
import type { Engine } from "../engine/engine.js";
import type { JournalStore } from "../engine/journal-store.js";
import type { GroupCoordinator, GroupCoordinatorOptions } from "../group/group-coordinator.js";
import { allDecided, type Decided } from "../group/members/inbox.js";
import type { GroupTopics } from "../group/state/group-topics.js";
import { allSettled } from "../storage/run-all.js";
import { checkJournalOwner, journalOf } from "./check-owner.js";
import { JournalGroups } from "./journal-groups.js";
import { KeyedQueue } from "./topics/keyed-queue.js";
import type { TopicLifecycle } from "./topics/topic-lifecycle.js";
import { topicsForGroups } from "./topics-for-groups.js";

/** When to retry a call to groups that are being opened, in ms. */
const OPENING_RETRY_MS = 250;

export class BrokerGroups {
  readonly #engine: Engine;
  readonly #lifecycle: TopicLifecycle;
  readonly #options: GroupCoordinatorOptions;
  readonly #topics: GroupTopics;
  readonly #journals: readonly JournalStore[];
  /** The journals that are open or being opened, by index. */
  readonly #open = new Map<number, JournalGroups>();
  /** Opens and closes one journal after another, by index. */
  readonly #updates = new KeyedQueue();
  readonly #opened: Promise<void>;
  #areOpen = false;
  #isStopped = false;

  constructor(engine: Engine, lifecycle: TopicLifecycle, options: GroupCoordinatorOptions) {
    this.#engine = engine;
    this.#lifecycle = lifecycle;
    this.#options = options;
    this.#topics = topicsForGroups(lifecycle, engine);
    this.#journals = engine.cluster?.journals ?? [engine.journal];
    const { following } = lifecycle;
    following.onCreated = () => this.topicsChanged();
    following.onDeleted = async (topic) => {
      await this.topicDeleted(topic);
    };
    this.#opened = this.#openFirst();
    engine.cluster?.onChange(() => void this.#updateAll().catch(() => {})); // reported by the groups
  }

  /** Resolves when every topic and the groups are open, or could not be opened. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  get areOpen(): boolean {
    return this.#areOpen;
  }

  /** Why groups are unavailable, if opening them failed or their log has failed since. */
  get failure(): LogStoreError | undefined {
    for (const { failure } of this.#open.values()) if (failure !== undefined) return failure;
    return undefined;
  }

  /** Whether groups can be changed: false while a journal of this broker accepts no appends. */
  get areAvailable(): boolean {
    return !this.#journals.some(({ isUnavailable }) => isUnavailable);
  }

  /**
   * The coordinator of a group.
   *
   * @throws UnavailableError until the groups are open; NotOwnerError
   */
  coordinatorOf(group: string): GroupCoordinator {
    const journal = journalOf(group, this.#journals.length);
    const { cluster } = this.#engine;
    if (cluster !== undefined) checkJournalOwner(cluster, journal, group);
    const coordinator = this.#open.get(journal)?.coordinator;
    if (coordinator === undefined) throw this.#beingOpened();
    return coordinator;
  }

  /** The groups of this broker. */
  async listGroups(): Promise<GroupSummary[]> {
    this.checkOpen();
    const lists = await Promise.all(this.#coordinators().map((each) => each.listGroups()));
    return lists.flat().sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  /** @throws UnavailableError until the groups are open */
  checkOpen(): void {
    if (!this.#areOpen) throw this.#beingOpened();
  }

  /** Called when topics were created. Groups that are not open yet find them when they are. */
  topicsChanged(): void {
    for (const groups of this.#open.values()) groups.topicsChanged();
  }

  /**
   * Resolves when the topic's offsets have been removed from the groups of this broker; `durable`
   * resolves when that is durable.
   */
  async topicDeleted(topic: string): Promise<Decided> {
    const decided = await Promise.all([...this.#open.values()].map((groups) => groups.topicDeleted(topic)));
    return allDecided(decided);
  }

  /** Groups that are not open yet will not be opened. */
  stopOpening(): void {
    this.#isStopped = true;
    for (const groups of this.#open.values()) groups.stopOpening();
  }

  async close(): Promise<void> {
    this.stopOpening();
    await this.#updates.settle();
    await allSettled([...this.#open.values()].map((groups) => groups.close()));
  }

  async #openFirst(): Promise<void> {
    await this.#updateAll();
    await this.#lifecycle.opened;
    this.#areOpen = !this.#isStopped;
    this.#lifecycle.topics.tellChanged();
  }

  async #updateAll(): Promise<void> {
    await Promise.all(this.#journals.map((_, i) => this.#updates.run(`${i}`, () => this.#update(i))));
  }

  /** Opens a journal that this broker owns now, and closes one that it does not own any more. */
  async #update(index: number): Promise<void> {
    if (this.#isStopped) return;
    const { cluster } = this.#engine;
    const isOwn = cluster === undefined || cluster.journalOwner(index)?.isSelf === true;
    const open = this.#open.get(index);
    if (open !== undefined && (!isOwn || open.failure instanceof NotOwnerError)) {
      this.#open.delete(index);
      const why = new NotOwnerError("the group has moved to another broker: join it there", {
        address: cluster?.journalOwner(index)?.address,
      });
      await open.close(why).catch(() => {}); // the other broker goes on from what is stored
    }
    if (!isOwn || this.#open.has(index)) return;
    const { now, randomHex } = this.#engine;
    const engine = {
      journal: this.#journals[index]!,
      now: now.bind(this.#engine),
      randomHex: randomHex.bind(this.#engine),
    };
    const topicsOpened = this.#lifecycle.opened;
    const groups = new JournalGroups({ engine, topics: this.#topics, coordinator: this.#options, topicsOpened });
    this.#open.set(index, groups);
    await groups.opened;
  }

  #coordinators(): GroupCoordinator[] {
    return [...this.#open.values()].flatMap(({ coordinator }) => coordinator ?? []);
  }

  #beingOpened(): UnavailableError {
    this.#lifecycle.topics.checkAllOpen();
    return new UnavailableError("consumer groups are being opened: try again", { retryAfterMs: OPENING_RETRY_MS });
  }
}
