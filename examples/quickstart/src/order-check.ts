/**
 * Checks that the flights of each origin arrive in the order of the input, and none is missing.
 * Repeated ones are counted.
 */
import type { Flight } from "./flights.ts";

export class OrderCheck {
  /**
   * The input positions of each origin's flights that have not arrived yet, with the next one last.
   */
  readonly #awaited: Map<string, number[]>;
  inOrder = 0;
  redelivered = 0;
  /** Flights that arrived out of order. */
  readonly wrong: string[] = [];

  constructor(flights: readonly Flight[]) {
    this.#awaited = new Map();
    for (const [line, { origin }] of [...flights.entries()].reverse()) {
      const lines = this.#awaited.get(origin);
      if (lines) lines.push(line);
      else this.#awaited.set(origin, [line]);
    }
  }

  /** Returns whether the flight arrived for the first time, and in order. */
  arrived(origin: string, line: number): boolean {
    const lines = this.#awaited.get(origin);
    const due = lines?.at(-1);
    if (due === line) {
      lines?.pop();
      this.inOrder++;
      return true;
    }
    const isKnown = lines !== undefined && (due === undefined || line < due);
    if (isKnown) this.redelivered++;
    else this.wrong.push(`flight ${line} from ${origin} arrived where ${due ?? "none"} was due`);
    return false;
  }
}
