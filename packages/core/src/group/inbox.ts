/** What came to a group since its last turn. */
import type { GroupInput } from "./take-turn.js";

export class Inbox {
  readonly inputs: GroupInput[] = [];
  /** Members that go on with a new membership, and the epoch that each knows. */
  readonly rejoined = new Map<string, number>();
  readonly #waiting: { resolve(): void; reject(error: unknown): void }[] = [];

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
