/** Whether every origin's flights arrive in the order of the input, each once. */
import type { Flight } from "./flights.ts";

export class OrderCheck {
  /** Places in the input of each origin's flights that have not arrived, next one last. */
  readonly #awaited: Map<string, number[]>;
  inOrder = 0;
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

  arrived(origin: string, line: number): void {
    const due = this.#awaited.get(origin)?.at(-1);
    if (due === line) {
      this.#awaited.get(origin)?.pop();
      this.inOrder++;
    } else {
      this.wrong.push(`flight ${line} from ${origin} arrived where ${due ?? "none"} was due`);
    }
  }
}
