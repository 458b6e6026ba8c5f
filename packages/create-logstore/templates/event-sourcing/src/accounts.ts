/** All accounts: their events in a log store, and their state in memory. */
import { type LogStore, WrongExpectedOffsetError } from "@logstore/core";
import { type Account, type AccountEvent, type Command, decide, evolve } from "./account.ts";

const decoder = new TextDecoder();

export class Accounts {
  readonly #store: LogStore;
  readonly #accounts = new Map<string, Account>();
  /** The offset of the next event to apply, by partition. */
  readonly #applied = new Map<number, number>();

  constructor(store: LogStore) {
    this.#store = store;
  }

  /** The account as of its last event. */
  async get(id: string): Promise<Account | undefined> {
    await this.#catchUp(this.#store.partitionOf(id));
    return this.#accounts.get(id);
  }

  /**
   * Decides on the present state, and appends the event only if nothing was appended meanwhile;
   * otherwise decides again.
   *
   * @throws RefusedError
   */
  async execute(id: string, command: Command): Promise<Account> {
    const partition = this.#store.partitionOf(id);
    for (;;) {
      const event = decide(await this.get(id), command);
      const expectedOffset = this.#applied.get(partition) ?? 0;
      try {
        await this.#store.append(id, JSON.stringify(event), { partition, expectedOffset });
      } catch (error) {
        if (error instanceof WrongExpectedOffsetError) continue;
        throw error;
      }
      return (await this.get(id))!;
    }
  }

  /** Applies the events that were appended since the last time. */
  async #catchUp(partition: number): Promise<void> {
    const from = this.#applied.get(partition) ?? 0;
    for await (const { offset, key, value } of this.#store.read(partition, { from })) {
      if (offset < (this.#applied.get(partition) ?? 0)) continue; // another call was faster
      const id = decoder.decode(key!);
      const event: AccountEvent = JSON.parse(decoder.decode(value));
      this.#accounts.set(id, evolve(this.#accounts.get(id), event));
      this.#applied.set(partition, offset + 1);
    }
  }
}
