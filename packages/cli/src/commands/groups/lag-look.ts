import { count, duration } from "../../output/numbers.js";
import type { Format } from "../../output/style.js";

/** A group that is this far behind deserves a look, ms. */
const LONG_LAG_MS = 60_000;

export interface Lag {
  readonly lag: number;
  readonly lagMs: number;
}

/** Green where there is none, yellow where there is some, red where it lasts. */
export function lagFormat({ lag, lagMs }: Lag): Format {
  if (lag === 0) return "green";
  return lagMs < LONG_LAG_MS ? "yellow" : "red";
}

export function lagText({ lag }: Lag): string {
  return count(lag);
}

/** Undefined where nothing waits. */
export function waitingText({ lag, lagMs }: Lag): string | undefined {
  return lag === 0 ? undefined : duration(lagMs);
}
