/**
 * Logs each refused connection and call, up to a rate, because peers can cause any number of
 * refusals.
 */
import type { Logger } from "pino";
import type { Refusal } from "../access/refusal.js";
import { TokenBucket } from "../access/token-bucket.js";

const LINES_PER_SECOND = 10;

/** Refusals above the rate are counted, and the next line contains the number omitted. */
export function refusedLog(log: Logger, now: () => number = () => performance.now()): (refusal: Refusal) => void {
  const lines = new TokenBucket(LINES_PER_SECOND, now);
  let leftOut = 0;
  return ({ refused, ...refusal }) => {
    if (lines.waitMs(1) > 0) {
      leftOut++;
      return;
    }
    lines.take(1);
    log.warn({ ...refusal, ...(leftOut > 0 && { leftOut }) }, `a ${refused} was refused`);
    leftOut = 0;
  };
}
