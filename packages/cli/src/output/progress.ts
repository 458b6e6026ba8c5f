import { startInterval } from "@logstore/codec";
import { displayWidth } from "./display-width.js";
import { bytes, count, duration } from "./numbers.js";
import type { Style } from "./style.js";

export interface ProgressOptions {
  readonly label: string;
  /** Undefined if the total is not known: then neither a bar nor the remaining time is shown. */
  readonly total?: number | undefined;
  /** "bytes", or the noun of what is counted, such as "records". */
  readonly unit: string;
}

export interface Progress {
  /** Sets the total done so far. */
  update(done: number): void;
  /** Removes the bar. */
  end(): void;
}

export const noProgress: Progress = { update: () => {}, end: () => {} };

const REDRAW_MS = 100;
const BAR_WIDTH = 24;
/** Number of samples, one per redraw, from which the current rate is computed. */
const SAMPLES = 50;

export function progressBar(options: ProgressOptions, stderr: NodeJS.WriteStream, style: Style): Progress {
  let done = 0;
  const samples: { readonly at: number; readonly done: number }[] = [{ at: performance.now(), done: 0 }];
  const draw = () => {
    const now = { at: performance.now(), done };
    samples.push(now);
    if (samples.length > SAMPLES) samples.shift();
    const { at, done: before } = samples[0]!;
    const perSecond = now.at > at ? ((done - before) * 1000) / (now.at - at) : 0;
    stderr.write(`\r${progressLine(options, done, perSecond, stderr.columns || 80, style)}\x1b[K`);
  };
  const timer = startInterval(REDRAW_MS, draw);
  return {
    update: (value) => {
      done = value;
    },
    end: () => {
      timer.cancel();
      stderr.write("\r\x1b[K");
    },
  };
}

/** Returns the progress line, with as many parts as fit. */
export function progressLine(
  { label, total, unit }: ProgressOptions,
  done: number,
  perSecond: number,
  width: number,
  style: Style,
): string {
  const amount = (value: number) => (unit === "bytes" ? bytes(value) : count(value));
  const rate = `${unit === "bytes" ? bytes(perSecond) : count(perSecond)}/s`;
  if (!total) return cut([label, `${amount(done)}${unit === "bytes" ? "" : ` ${unit}`}`, rate], width);
  const fraction = Math.min(1, done / total);
  const filled = Math.round(fraction * BAR_WIDTH);
  const bar = `${style("cyan", "█".repeat(filled))}${style("dim", "░".repeat(BAR_WIDTH - filled))}`;
  const percent = `${String(Math.floor(fraction * 100)).padStart(3)} %`;
  const left = perSecond > 0 && done < total ? `${duration(((total - done) * 1000) / perSecond)} left` : "";
  const rest = [percent, `${amount(done)} of ${amount(total)}${unit === "bytes" ? "" : ` ${unit}`}`, rate, left];
  return `${label}  ${bar}  ${cut(rest.filter(Boolean), width - displayWidth(label) - BAR_WIDTH - 4)}`;
}

/** Joins as many parts as fit into the width. */
function cut(parts: readonly string[], width: number): string {
  let line = parts[0]!;
  for (const part of parts.slice(1)) {
    if (displayWidth(line) + 2 + displayWidth(part) >= width) break;
    line += `  ${part}`;
  }
  return line;
}
