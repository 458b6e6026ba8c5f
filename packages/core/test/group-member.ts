/** A group member for tests, which returns its events on demand. */
import type { AssignmentEvent, GroupApi, GroupMembership, JoinGroupRequest, MemberEvent } from "@logstore/protocol";

export class TestMember {
  readonly membership: GroupMembership;
  readonly #events: AsyncIterator<MemberEvent>;
  memberId = "";
  epoch = 0;

  private constructor(api: GroupApi, request: JoinGroupRequest) {
    this.membership = api.joinGroup(request);
    this.#events = this.membership[Symbol.asyncIterator]();
  }

  static async join(api: GroupApi, request: JoinGroupRequest): Promise<TestMember> {
    const member = new TestMember(api, request);
    const joined = await member.next("joined");
    member.memberId = joined.memberId;
    member.epoch = joined.memberEpoch;
    return member;
  }

  /** The next event, which must be of this type. */
  async next<T extends MemberEvent["type"]>(type: T): Promise<Extract<MemberEvent, { type: T }>> {
    const { value, done } = await this.#events.next();
    if (done || value.type !== type) throw new Error(`${JSON.stringify(value)} came, and no ${type}`);
    this.epoch = value.memberEpoch;
    return value as Extract<MemberEvent, { type: T }>;
  }

  /** The next assignment, as "0 1 (2)": partitions to revoke are in parentheses. */
  async assigned(): Promise<string> {
    return shown(await this.next("assignment"));
  }

  /** Revokes what the next assignment asks for. */
  async gives(): Promise<string> {
    const assignment = await this.next("assignment");
    this.membership.revoked(assignment.memberEpoch, assignment.revoking);
    return shown(assignment);
  }

  /** The error that ends the iteration; undefined if it ends without one. */
  async end(): Promise<unknown> {
    try {
      for (;;) if ((await this.#events.next()).done) return undefined;
    } catch (error) {
      return error;
    }
  }

  async disconnect(): Promise<void> {
    await this.#events.return?.();
  }
}

function shown({ partitions, revoking }: AssignmentEvent): string {
  return [
    ...partitions.map(({ partition }) => `${partition}`),
    ...revoking.map(({ partition }) => `(${partition})`),
  ].join(" ");
}
