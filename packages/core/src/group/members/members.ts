/**
 * The members of all groups: receives their messages, and tells them the decisions of the
 * coordinator.
 */
import type { LogStoreError } from "@logstore/codec";
import type { TopicPartition } from "@logstore/protocol";
import type { GroupInput } from "../decide/group-turn.js";
import type { Journal } from "../journal/journal.js";
import type { Member } from "../state/group-state.js";
import type { GroupTopics } from "../state/group-topics.js";
import { checkJoin, checkSubscriptions } from "../state/limits.js";
import { AttentiveClock, type Clock } from "../time/clock.js";
import { Slices, type Steps } from "../time/slices.js";
import { holdJoin, holdSubscriptions } from "./admission.js";
import { Deadlines } from "./deadlines.js";
import { fenced } from "./fenced.js";
import type { Inbox } from "./inbox.js";
import type { Membership, Memberships } from "./membership.js";
import type { MemberNews } from "./news.js";
import { deliverWhenDurable } from "./notices.js";
import { isConnected, newSession, type Session } from "./session.js";
import { Sessions } from "./sessions.js";
import { TurnNotices } from "./turn-notices.js";
import { Turns } from "./turns.js";

export class Members implements Memberships {
  readonly #journal: Journal;
  readonly #newId: () => string;
  readonly #slices: Slices;
  readonly #clock: AttentiveClock;
  readonly #sessions = new Sessions();
  readonly #deadlines: Deadlines;
  readonly #notices: TurnNotices;
  readonly #turns: Turns;

  constructor(journal: Journal, topics: GroupTopics, newId: () => string, clock: Clock) {
    this.#journal = journal;
    this.#newId = newId;
    this.#slices = new Slices(clock);
    this.#clock = new AttentiveClock(clock);
    this.#deadlines = new Deadlines(journal, this.#sessions, this.#clock, ({ group, memberId }, reason) => {
      this.#turns.add(group, { type: "gone", memberId, reason });
    });
    this.#notices = new TurnNotices(this.#sessions, this.#deadlines, (topic) => topics.id(topic));
    this.#turns = new Turns(journal, topics, this.#sessions, this.#notices, this.#slices);
  }

  /** Members from before the restart have their session timeout to rejoin. */
  *recover(): Steps {
    const now = this.#clock.now();
    for (const { group, members } of this.#journal.groups.values()) {
      for (const [memberId, member] of members) {
        const session = newSession(group, memberId, now, undefined);
        this.#sessions.add(session);
        this.#deadlines.update(session, member, now);
        yield;
      }
    }
  }

  isConnected(group: string, memberId: string): boolean {
    return isConnected(this.#sessions.get(group, memberId));
  }

  /** A member has used an epoch, and therefore knows it. */
  showsEpoch(group: string, memberId: string, memberEpoch: number): void {
    const session = this.#sessions.get(group, memberId);
    if (session !== undefined) session.heardEpoch = Math.max(session.heardEpoch, memberEpoch);
  }

  /** Runs tasks on groups one after another, each to completion: no input is decided in between. */
  run<Result>(steps: Steps<Result>): Promise<Awaited<Result>> {
    return this.#slices.run(steps);
  }

  /** Tells a member the news once they are durable; if that fails, it is told of the failure. */
  tell(group: string, memberId: string, news: MemberNews, durable: Promise<void>): void {
    deliverWhenDurable(this.#slices, this.#notices.to(group, memberId, news), durable);
  }

  /** Adds an input of a group, which is processed at the end of this turn of the event loop. */
  input(group: string, input: GroupInput): Inbox {
    return this.#turns.add(group, input);
  }

  /** Takes all pending turns synchronously. */
  takeTurns(): void {
    this.#slices.finish();
  }

  /** Resolves when all pending turns have been taken. */
  turnsTaken(): Promise<void> {
    return this.#slices.drain();
  }

  /** Groups become unavailable. */
  fail(error: LogStoreError): void {
    this.#deadlines.stop();
    for (const { membership } of this.#sessions) membership?.fail(error);
    this.#turns.fail(error);
  }

  // Messages of members

  begin(membership: Membership): void {
    this.#journal.check();
    const { request } = membership;
    const joining = checkJoin(request);
    const { group, memberId = this.#newId(), memberEpoch = 0 } = request;
    const session = this.#sessions.get(group, memberId);
    // Epoch 0: the client has not received a response to its join yet, and joins for the first time
    // or again.
    if (memberEpoch > 0 || this.#member(group, memberId) !== undefined) {
      this.#rejoin(membership, memberId, memberEpoch, joining.topics);
    } else if (session !== undefined) {
      const release = this.#holdSubscriptions(group, memberId, joining.topics);
      this.#replace(session, membership, memberId);
      this.input(group, { type: "subscribe", memberId, topics: joining.topics }).holds.push(release);
    } else {
      const undecided = this.#turns.undecided(group);
      const release = holdJoin(this.#journal, group, joining, membership.principal, undecided);
      membership.memberId = memberId;
      this.#sessions.add(newSession(group, memberId, this.#clock.now(), membership));
      this.#turns.add(group, { type: "join", memberId, joining }, membership.principal).holds.push(release);
    }
  }

  heard(membership: Membership): void {
    const session = this.#sessions.of(membership);
    if (session !== undefined) session.heardAt = this.#clock.now();
  }

  revoked(membership: Membership, memberEpoch: number, partitions: readonly TopicPartition[]): void {
    this.heard(membership);
    const session = this.#sessions.of(membership);
    if (session === undefined || this.#journal.failure !== undefined) return;
    const memberId = membership.memberId!;
    const member = this.#member(session.group, memberId);
    if (member === undefined || memberEpoch > member.epoch) return; // the member cannot have been sent this epoch
    this.showsEpoch(session.group, memberId, memberEpoch);
    this.input(session.group, { type: "revoked", memberId, memberEpoch, partitions });
  }

  subscribe(membership: Membership, topics: readonly string[]): void {
    const wanted = checkSubscriptions(topics);
    this.heard(membership);
    const session = this.#sessions.of(membership);
    if (session === undefined || this.#journal.failure !== undefined) return;
    const { group, memberId } = session;
    const release = this.#holdSubscriptions(group, memberId, wanted);
    this.input(group, { type: "subscribe", memberId, topics: wanted }).holds.push(release);
  }

  async leave(membership: Membership): Promise<void> {
    const session = this.#sessions.of(membership);
    if (session === undefined) return;
    this.#journal.check();
    await this.input(session.group, { type: "gone", memberId: membership.memberId! }).done();
  }

  #rejoin(membership: Membership, memberId: string, memberEpoch: number, topics: readonly string[]): void {
    const { group } = membership.request;
    const member = this.#member(group, memberId);
    const session = this.#sessions.get(group, memberId);
    if (member === undefined || session === undefined) throw fenced(group, memberId, "is no member any more");
    if (memberEpoch < session.heardEpoch || memberEpoch > member.epoch) {
      throw fenced(
        group,
        memberId,
        `came back with epoch ${memberEpoch}, and had ${session.heardEpoch} or a later one`,
      );
    }
    const release = this.#holdSubscriptions(group, memberId, topics);
    this.#replace(session, membership, memberId);
    session.heardEpoch = memberEpoch;
    const inbox = this.input(group, { type: "subscribe", memberId, topics });
    inbox.rejoined.set(memberId, memberEpoch);
    inbox.holds.push(release);
  }

  /** The member continues with another membership. */
  #replace(session: Session, membership: Membership, memberId: string): void {
    session.membership?.finish();
    membership.memberId = memberId;
    session.membership = membership;
    session.heardAt = this.#clock.now();
  }

  #member(group: string, memberId: string): Member | undefined {
    return this.#journal.groups.get(group)?.members.get(memberId);
  }

  #holdSubscriptions(group: string, memberId: string, topics: readonly string[]): () => void {
    return holdSubscriptions(this.#journal, group, memberId, topics, this.#turns.undecided(group));
  }
}
