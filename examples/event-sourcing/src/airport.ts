/**
 * The aggregate: an airport's gates. Its events are the only source of truth; the state in memory
 * is derived from them.
 */
import type { LogStore } from "@logstore/core";
import { AIRPORTS, type AirportCode, departureMinute, type Flight } from "./flights.ts";

/** The event, an immutable fact: a flight has a gate for an hour before it departs. */
export interface GateAssigned {
  readonly flight: Flight;
  readonly gate: number;
  /** Minutes since the epoch. */
  readonly from: number;
  readonly until: number;
}

const MINUTES_AT_GATE = 60;
const decoder = new TextDecoder();

export class Airport {
  readonly code: AirportCode;
  readonly #store: LogStore;
  /**
   * Each airport has a partition of its own, so that the partition's end offset is the aggregate's
   * version.
   */
  readonly #partition: number;
  readonly #eventsByGate: GateAssigned[][] = [];
  /** Number of events applied to the state: the offset of the next one. */
  #offset = 0;

  constructor(store: LogStore, code: AirportCode) {
    this.code = code;
    this.#store = store;
    this.#partition = AIRPORTS.indexOf(code);
  }

  get offset(): number {
    return this.#offset;
  }

  get eventsByGate(): readonly (readonly GateAssigned[])[] {
    return this.#eventsByGate;
  }

  /** The decision, based on the state known here: the first free gate. */
  decide(flight: Flight): GateAssigned {
    const until = departureMinute(flight);
    const from = until - MINUTES_AT_GATE;
    const isFree = (events: GateAssigned[]) => events.every((other) => until <= other.from || other.until <= from);
    const free = this.#eventsByGate.findIndex(isFree);
    return { flight, gate: free < 0 ? this.#eventsByGate.length : free, from, until };
  }

  /**
   * @throws WrongExpectedOffsetError if there is an event that the decision did not take into
   * account
   */
  async record(event: GateAssigned): Promise<void> {
    const options = { partition: this.#partition, expectedOffset: this.#offset };
    await this.#store.append(this.code, JSON.stringify(event), options);
    this.#apply(event);
  }

  /** Replays the events since the last known one. */
  async catchUp(): Promise<void> {
    for await (const { value } of this.#store.read(this.#partition, { from: this.#offset })) {
      this.#apply(JSON.parse(decoder.decode(value)));
    }
  }

  #apply(event: GateAssigned): void {
    this.#eventsByGate[event.gate] ??= [];
    this.#eventsByGate[event.gate]?.push(event);
    this.#offset++;
  }
}
