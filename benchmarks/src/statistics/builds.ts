/** Two builds of LogStore in the same run: is one of them slower? */
import { otherBuildOf } from "../contestants/list.ts";
import type { Result } from "./result.ts";
import { type Ratio, ratioOf } from "./spread.ts";

/** Less is noise. */
const NOTABLE = 0.05;

export type Verdict = "slower" | "faster" | "no difference";

export interface BuildRatio extends Ratio {
  readonly verdict: Verdict | undefined;
}

/** This build ÷ the other one, of each contestant that ran twice. */
export function buildRatios({ name, unit, series }: Result): BuildRatio[] {
  return series.flatMap((one) => {
    const other = series.find(({ contestant }) => contestant === otherBuildOf(one.contestant));
    if (other === undefined) return [];
    const ratio = ratioOf(`${name} ${one.contestant}`, one, other);
    return [{ ...ratio, verdict: verdictOf(ratio, isRate(unit)) }];
  });
}

/** The median differs notably, and every round says the same. */
function verdictOf({ spread }: Ratio, isHigherBetter: boolean): Verdict | undefined {
  if (spread === undefined) return undefined;
  const { median, min, max } = spread;
  if (median < 1 - NOTABLE && max < 1) return isHigherBetter ? "slower" : "faster";
  if (median > 1 + NOTABLE && min > 1) return isHigherBetter ? "faster" : "slower";
  return "no difference";
}

function isRate(unit: string): boolean {
  return unit.endsWith("/s");
}
