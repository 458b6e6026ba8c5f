/** Figures as text. */
import type { Goal, Spread } from "../statistics/spread.ts";

export function goalText(goal: Goal): string {
  return "atLeast" in goal ? `≥ ${quantity(goal.atLeast)}` : `≤ ${quantity(goal.atMost)}`;
}

export function spreadText({ median, min, max }: Spread): string {
  return `${quantity(median)} (${quantity(min)}–${quantity(max)})`;
}

/** A noisy machine does not justify more than three digits. */
export function quantity(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 3;
  const rounded = Math.abs(value) >= 1_000 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString("en", { maximumFractionDigits: digits });
}
