/** Positions in a log, as the command line gives them. */
import { UsageError } from "../errors/cli-error.js";
import { durationMs } from "./duration.js";

/**
 * An offset, an end of the log, a time, or a number of records before the end of each partition.
 */
export type LogPosition =
  | { readonly type: "offset"; readonly offset: number }
  | { readonly type: "edge"; readonly edge: "earliest" | "latest" }
  | { readonly type: "time"; readonly time: number }
  | { readonly type: "beforeEnd"; readonly records: number };

const AGO = /^-(.*[a-z])$/;
/** A date, with a time and a zone if wanted; without a zone it is the local time. */
const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * "earliest", "latest", "42", "-100", "-15m", "2026-11-27", "2026-11-27T09:30Z"
 *
 * @throws UsageError
 */
export function logPosition(text: string, now = Date.now()): LogPosition {
  if (text === "earliest" || text === "latest") return { type: "edge", edge: text };
  if (/^-?\d+$/.test(text)) {
    const number = Math.abs(Number(text));
    if (!Number.isSafeInteger(number)) throw wrong(text);
    return text.startsWith("-") ? { type: "beforeEnd", records: number } : { type: "offset", offset: number };
  }
  const ago = AGO.exec(text)?.[1];
  if (ago !== undefined) return { type: "time", time: Math.round(now - durationMs(ago)) };
  if (ISO.test(text)) {
    const time = new Date(text.length > 10 ? text.replace(" ", "T").replace(",", ".") : `${text}T00:00`).getTime();
    if (!Number.isNaN(time)) return { type: "time", time };
  }
  throw wrong(text);
}

function wrong(text: string): UsageError {
  return new UsageError(
    `a position is earliest, latest, an offset (42), records before the end (-100), a time ago (-15m) or a time (2026-11-27T09:30Z), not ${JSON.stringify(text)}`,
  );
}
