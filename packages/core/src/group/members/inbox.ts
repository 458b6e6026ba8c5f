/** The inputs of a group since its last turn. */
import type { GroupInput } from "../decide/group-turn.js";

/** Inputs that have been decided. */
export interface Decided {
  /** Resolves when the result is durable. */
  readonly durable: Promise<void>;
}

export function allDecided(decided: readonly Decided[]): Decided {
  const durable = Promise.all(decided.map((each) => each.durable)).then(() => {});
  durable.catch(() => {}); // reported to whoever waits
  return { durable };
}

export class Inbox {
  inputs: GroupInput[] = [];
  /** Members that rejoined with a new membership, and the epoch that each knows. */
  readonly rejoined = new Map<string, number>();
  /** The principal that owns the group if this turn creates it. */
  readonly owner: string | undefined;
  /**
   * Releases of what the inputs add to the group, which counts against the limits until the turn is
   * decided.
   */
  readonly holds: (() => void)[] = [];
  #joinCount = 0;
  readonly #waiting: ((decided: Decided) => void)[] = [];

  constructor(owner: string | undefined) {
    this.owner = owner;
  }

  /** Number of members that join in this turn. */
  get joinCount(): number {
    return this.#joinCount;
  }

  add(input: GroupInput): void {
    this.inputs.push(input);
    if (input.type === "join") this.#joinCount++;
  }

  /** Resolves when the inputs have been decided. */
  decided(): Promise<Decided> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Resolves when the inputs have been decided, and the result is durable. */
  async done(): Promise<void> {
    await (await this.decided()).durable;
  }

  settle(durable: Promise<void>): void {
    durable.catch(() => {}); // reported to whoever waits
    for (const resolve of this.#waiting) resolve({ durable });
  }
}
