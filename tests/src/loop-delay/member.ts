/** A group member that uses the protocol directly. */
import { decode, encode, type Stranger } from "../hostile/stranger.ts";

interface Assignment {
  readonly memberEpoch: number;
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
}

interface Told {
  readonly joined?: { readonly memberId: string; readonly memberEpoch: number } | null;
  readonly assignment?: Assignment | null;
}

export class Member {
  memberId = "";
  epoch = 0;
  readonly #stream: ReturnType<Stranger["duplex"]>;
  #assignment: Assignment | undefined;
  #heard = Promise.withResolvers<void>();

  constructor(stranger: Stranger, join: object) {
    this.#stream = stranger.duplex("/logstore.v1.ConsumerGroupService/JoinGroup", (bytes) => this.#hear(bytes));
    this.#stream.ended.then(({ status, message }) => {
      if (status !== 0) this.#heard.reject(new Error(`JoinGroup: ${status} ${message}`));
    });
    this.#heard.promise.catch(() => {}); // reported to whoever waits for an assignment
    this.say({ join: { sessionTimeoutMs: 600_000, revokeTimeoutMs: 600_000, ...join } });
  }

  /** The next assignment for which `isRight` holds, or the current one if it does. */
  async assigned(isRight: (assignment: Assignment) => boolean = () => true): Promise<Assignment> {
    while (this.#assignment === undefined || !isRight(this.#assignment)) await this.#heard.promise;
    const assignment = this.#assignment;
    this.#assignment = undefined;
    return assignment;
  }

  say(message: object): void {
    this.#stream.write(encode("JoinGroupRequest", message));
  }

  /** Resolves when the member has left the group. */
  async leave(): Promise<void> {
    this.say({ leave: {} });
    await this.#stream.ended;
  }

  /** Breaks the connection; the member may rejoin. */
  cancel(): void {
    this.#stream.cancel();
  }

  #hear(bytes: Buffer): void {
    const { joined, assignment } = decode("JoinGroupResponse", bytes) as Told;
    if (joined) {
      this.memberId = joined.memberId;
      this.epoch = joined.memberEpoch;
    }
    if (!assignment) return;
    this.epoch = assignment.memberEpoch;
    this.#assignment = assignment;
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
    this.#heard.promise.catch(() => {});
  }
}
