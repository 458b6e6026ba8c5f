/** Shows a run as plain lines: one for each quarter of the flights. */
import type { Show } from "./show.ts";

export class PlainLines implements Show {
  readonly #flights: number;
  readonly #counts = { produced: 0, consumed: 0 };

  constructor(flights: number) {
    this.#flights = flights;
  }

  produced(): void {
    this.#add("produced", 1);
  }

  consumed(_partition: number, count: number): void {
    this.#add("consumed", count);
  }

  owners(): void {}
  memberKilled(): void {}
  serverKilled(): void {}
  stop(): void {}

  #add(side: "produced" | "consumed", count: number): void {
    const quarters = (value: number) => Math.floor((value / this.#flights) * 4);
    const before = this.#counts[side];
    const value = before + count;
    this.#counts[side] = value;
    if (quarters(value) > quarters(before)) console.log(`${side}: ${value} of ${this.#flights} flights`);
  }
}
