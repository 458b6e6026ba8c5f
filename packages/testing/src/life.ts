/** One run of a broker, from its start to its crash. */
import { UnavailableError } from "@logstore/client";
import type { Broker } from "@logstore/core";
import type { SimulatedDisk } from "@logstore/core/testing";

export class Life {
  readonly broker: Broker;
  readonly disk: SimulatedDisk;
  readonly #crash = new AbortController();

  constructor(broker: Broker, disk: SimulatedDisk) {
    this.broker = broker;
    this.disk = disk;
  }

  /**
   * From now on, calls in progress fail with the error that a client gets from a crashed server.
   */
  crash(): void {
    this.#crash.abort(new UnavailableError("the test broker was stopped"));
  }

  get hasCrashed(): boolean {
    return this.#crash.signal.aborted;
  }

  /** @throws UnavailableError if the broker crashes first */
  outcome<Result>(call: Promise<Result>): Promise<Result> {
    const { signal } = this.#crash;
    return new Promise((resolve, reject) => {
      const crashed = () => reject(signal.reason);
      if (signal.aborted) crashed();
      signal.addEventListener("abort", crashed);
      call.then(resolve, reject).finally(() => signal.removeEventListener("abort", crashed));
    });
  }

  /** The same events, until the broker crashes. */
  events<Event>(iterator: AsyncIterator<Event>): AsyncIterator<Event> {
    return {
      next: () => this.outcome(iterator.next()),
      return: async () => {
        if (this.hasCrashed) return { value: undefined, done: true };
        return (await iterator.return?.()) ?? { value: undefined, done: true };
      },
    };
  }
}
