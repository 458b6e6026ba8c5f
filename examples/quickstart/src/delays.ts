/** The delays of the flights, by the airport that they left from. */

/** Airports with fewer flights are not significant. */
export const MIN_FLIGHTS = 30;
const AIRPORTS_SHOWN = 5;

export class DelaysByOrigin {
  readonly #byOrigin = new Map<string, { flights: number; minutes: number }>();

  add(origin: string, delay: number): void {
    const known = this.#byOrigin.get(origin) ?? { flights: 0, minutes: 0 };
    this.#byOrigin.set(origin, { flights: known.flights + 1, minutes: known.minutes + delay });
  }

  /** The airports with the worst mean delays, in minutes. */
  worst(): { origin: string; flights: number; mean: number }[] {
    return Array.from(this.#byOrigin, ([origin, { flights, minutes }]) => {
      return { origin, flights, mean: Number((minutes / flights).toFixed(1)) };
    })
      .filter(({ flights }) => flights >= MIN_FLIGHTS)
      .sort((a, b) => b.mean - a.mean)
      .slice(0, AIRPORTS_SHOWN);
  }
}
