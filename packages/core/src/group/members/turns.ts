/**
 * The turns of groups: the inputs that arrive in one turn of the event loop are collected, decided
 * together and written.
 */
import { callAll } from "@logstore/codec";
import { assignmentGrowth, type GroupInput, type GroupTurn } from "../decide/group-turn.js";
import { takeTurn } from "../decide/take-turn.js";
import type { Journal } from "../journal/journal.js";
import { type GroupState, newGroup } from "../state/group-state.js";
import type { GroupTopics } from "../state/group-topics.js";
import type { Slices, Steps } from "../time/slices.js";
import type { Undecided } from "./admission.js";
import { Inbox } from "./inbox.js";
import { deliverWhenDurable } from "./notices.js";
import type { Sessions } from "./sessions.js";
import type { TurnNotices } from "./turn-notices.js";

export class Turns {
  readonly #journal: Journal;
  readonly #topics: GroupTopics;
  readonly #sessions: Sessions;
  readonly #notices: TurnNotices;
  readonly #slices: Slices;
  readonly #inboxes = new Map<string, Inbox>();
  /** The turn in progress. */
  #deciding: { readonly group: string; readonly inbox: Inbox } | undefined;
  /**
   * The partition counts as of their last retrieval: the same map as long as they are unchanged.
   */
  #counts: ReadonlyMap<string, number> = new Map();
  #countedIn: number | undefined;

  constructor(journal: Journal, topics: GroupTopics, sessions: Sessions, notices: TurnNotices, slices: Slices) {
    this.#journal = journal;
    this.#topics = topics;
    this.#sessions = sessions;
    this.#notices = notices;
    this.#slices = slices;
  }

  /**
   * Adds an input of a group, which is processed at the end of this turn of the event loop.
   *
   * @param owner the principal that owns the group if this input creates it
   */
  add(group: string, input: GroupInput, owner?: string): Inbox {
    let inbox = this.#inboxes.get(group);
    if (inbox === undefined) {
      inbox = new Inbox(owner);
      this.#inboxes.set(group, inbox);
      this.#slices.add(this.#turn(group));
    }
    inbox.add(input);
    return inbox;
  }

  undecided(group: string): Undecided {
    const deciding = this.#deciding?.group === group ? this.#deciding.inbox : undefined;
    return { waiting: this.#inboxes.get(group), deciding };
  }

  /** No input that waits is decided any more. */
  fail(error: unknown): void {
    for (const inbox of this.#inboxes.values()) inbox.settle(Promise.reject(error));
    this.#inboxes.clear();
  }

  *#turn(group: string): Steps {
    const inbox = this.#inboxes.get(group);
    this.#inboxes.delete(group);
    if (inbox === undefined || this.#journal.failure !== undefined) return;
    this.#deciding = { group, inbox };
    try {
      yield* this.#takeTurn(group, inbox);
    } catch (error) {
      this.#abandon(group, inbox, error);
    } finally {
      this.#deciding = undefined;
      callAll(inbox.holds);
    }
  }

  *#takeTurn(group: string, inbox: Inbox): Steps {
    const { groups } = this.#journal;
    const before = groups.get(group) ?? newGroup(group, inbox.owner);
    const turn = yield* this.#decide(before, inbox);
    let written: Promise<void> | undefined;
    for (const change of turn.changes) {
      written = this.#journal.append([change]);
      written.catch(() => {}); // the last promise reports the error
      if (turn.changes.length > 1) yield;
    }
    const durable = written ?? this.#journal.append([]);
    durable.catch(() => {}); // reported to whoever waits
    const state = groups.get(group);
    const notices = this.#notices.removed(group, state, inbox, turn);
    if (state !== undefined) {
      state.target = turn.target;
      for (const notice of yield* this.#notices.changed(state, inbox, turn)) notices.push(notice);
    }
    deliverWhenDurable(this.#slices, notices, durable);
    inbox.settle(durable);
  }

  /**
   * If there is no room for the partitions of new members or subscriptions, these are refused, and
   * the rest is decided without them.
   */
  *#decide(before: GroupState, inbox: Inbox): Steps<GroupTurn> {
    const { group, owner } = before;
    const turn = yield* takeTurn(before, inbox.inputs, this.#topicCounts(), this.#journal.now());
    const assignments = assignmentGrowth(before, turn);
    const asking = inbox.inputs.filter((input) => this.#asksForMore(group, input));
    if (assignments <= 0 || asking.length === 0) return turn;
    try {
      inbox.holds.push(this.#journal.totals.hold(owner, group, { assignments }));
      return turn;
    } catch (error) {
      this.#refuse(group, asking, error);
      inbox.inputs = inbox.inputs.filter((input) => !asking.includes(input));
      return yield* takeTurn(before, inbox.inputs, this.#topicCounts(), this.#journal.now());
    }
  }

  #asksForMore(group: string, input: GroupInput): boolean {
    if (input.type === "join") return true;
    if (input.type !== "subscribe") return false;
    return String(this.#journal.groups.get(group)?.members.get(input.memberId)?.topics) !== String(input.topics);
  }

  #topicCounts(): ReadonlyMap<string, number> {
    const { number } = this.#slices;
    if (this.#countedIn === number) return this.#counts;
    this.#countedIn = number;
    const counts = this.#topics.counts();
    if (!isSame(counts, this.#counts)) this.#counts = counts;
    return this.#counts;
  }

  /**
   * A turn that cannot be written is not taken: the members that sent its inputs are told, and
   * others are not affected.
   */
  #abandon(group: string, inbox: Inbox, error: unknown): void {
    const state = this.#journal.groups.get(group);
    if (state !== undefined) state.target = undefined; // some of the changes may have been written
    this.#refuse(group, inbox.inputs, error);
    inbox.settle(Promise.reject(error));
  }

  #refuse(group: string, inputs: readonly GroupInput[], error: unknown): void {
    for (const input of inputs) {
      if (!("memberId" in input)) continue;
      const { memberId } = input;
      this.#sessions.get(group, memberId)?.membership?.fail(error);
      if (!this.#journal.groups.get(group)?.members.has(memberId)) this.#sessions.remove(group, memberId);
    }
  }
}

function isSame(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a.size !== b.size) return false;
  for (const [topic, count] of a) if (b.get(topic) !== count) return false;
  return true;
}
