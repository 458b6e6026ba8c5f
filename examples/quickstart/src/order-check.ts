/**
 * Whether every origin's flights arrive in the order of the input, none left out. Some may come
 * again: they are counted.
 */
import type { Flight } from "./flights.ts";

export class OrderCheck {
  /** Places in the input of each origin's flights that have not arrived, next one last. */
  readonly #awaited: Map<string, number[]>;
  inOrder = 0;
  redelivered = 0;
  /** What arrived when something else was due. */
  readonly wrong: string[] = [];

  constructor(flights: readonly Flight[]) {
    this.#awaited = new Map();
    for (const [line, { origin }] of [...flights.entries()].reverse()) {
      const lines = this.#awaited.get(origin);
      if (lines) lines.push(line);
      else this.#awaited.set(origin, [line]);
    }
  }

  /** Whether it is the first time, and its turn. */
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
