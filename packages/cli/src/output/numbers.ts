/** Formats numbers for people, always in English so that the output is the same everywhere. */

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 1234567 → "1,234,567" */
export function count(value: number): string {
  return grouped.format(value);
}

/** "1 record", "2,000 records" */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** 1536 → "1.5 KiB" */
export function bytes(value: number): string {
  let unit = 0;
  let size = value;
  while (Math.abs(size) >= 1023.95 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 || size >= 99.95 ? Math.round(size) : size.toFixed(1).replace(/\.0$/, "")} ${UNITS[unit]}`;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The two largest units: "350 ms", "1.5 s", "3 m 20 s", "2 d 4 h" */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 9.95 * SECOND) return `${(ms / SECOND).toFixed(1).replace(/\.0$/, "")} s`;
  const s = Math.round(ms / SECOND) * SECOND;
  if (s < MINUTE) return `${s / SECOND} s`;
  if (s < HOUR) return pair(s, MINUTE, "m", SECOND, "s");
  if (s < DAY) return pair(s, HOUR, "h", MINUTE, "m");
  return pair(s, DAY, "d", HOUR, "h");
}

function pair(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${count(Math.floor(ms / large))} ${largeName}${rest === 0 ? "" : ` ${rest} ${smallName}`}`;
}

/** "2026-11-27 09:30:00.123Z": a time that options accept as well, without the "T". */
export function time(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString().replace("T", " ");
}
