import { count, duration } from "../../output/numbers.js";
import type { Format } from "../../output/style.js";

/** Lag of this age or older is highlighted, in ms. */
const LONG_LAG_MS = 60_000;

export interface Lag {
  readonly lag: number;
  readonly lagMs: number;
}

/** Green without lag, yellow with lag, red with old lag. */
export function lagFormat({ lag, lagMs }: Lag): Format {
  if (lag === 0) return "green";
  return lagMs < LONG_LAG_MS ? "yellow" : "red";
}

export function lagText({ lag }: Lag): string {
  return count(lag);
}

/** Undefined without lag. */
export function waitingText({ lag, lagMs }: Lag): string | undefined {
  return lag === 0 ? undefined : duration(lagMs);
}
