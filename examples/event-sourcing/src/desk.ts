/** A writer that assigns gates to its flights, while another does the same at the same airports. */
import { type LogStore, WrongExpectedOffsetError } from "@logstore/core";
import { Airport } from "./airport.ts";
import { AIRPORTS, type Flight } from "./flights.ts";

export class Desk {
  /** How often the other desk was faster. */
  conflicts = 0;
  /** How often that led to a different gate. */
  changedDecisions = 0;
  readonly #airports: Record<string, Airport>;

  constructor(store: LogStore) {
    this.#airports = Object.fromEntries(AIRPORTS.map((code) => [code, new Airport(store, code)]));
  }

  async dispatch(flights: readonly Flight[]): Promise<void> {
    for (const flight of flights) await this.#assignGate(flight);
  }

  /**
   * Decides, and tries to record the decision. If another event came first, catches up and decides
   * again.
   */
  async #assignGate(flight: Flight): Promise<void> {
    const airport = this.#airports[flight.origin]!;
    let event = airport.decide(flight);
    for (;;) {
      try {
        return await airport.record(event);
      } catch (error) {
        if (!(error instanceof WrongExpectedOffsetError)) throw error;
        this.conflicts++;
        await airport.catchUp();
        const again = airport.decide(flight);
        if (again.gate !== event.gate) this.changedDecisions++;
        event = again;
      }
    }
  }
}
