/** What came to a group since its last turn. */
import type { GroupInput } from "../decide/group-turn.js";

export class Inbox {
  inputs: GroupInput[] = [];
  /** Members that go on with a new membership, and the epoch that each knows. */
  readonly rejoined = new Map<string, number>();
  /** Whose the group is, if this turn makes it. */
  readonly owner: string | undefined;
  /** What its inputs add to the group counts as held until they are decided. */
  readonly holds: (() => void)[] = [];
  #joinCount = 0;
  readonly #waiting: { resolve(): void; reject(error: unknown): void }[] = [];

  constructor(owner: string | undefined) {
    this.owner = owner;
  }

  /** Members that are new with this turn. */
  get joinCount(): number {
    return this.#joinCount;
  }

  add(input: GroupInput): void {
    this.inputs.push(input);
    if (input.type === "join") this.#joinCount++;
  }

  /** Resolves when what came is decided, and durable. */
  done(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  settle(durable: Promise<void>): void {
    durable.catch(() => {}); // whoever waits is told
    for (const { resolve, reject } of this.#waiting) durable.then(resolve, reject);
  }
}
