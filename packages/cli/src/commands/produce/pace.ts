import { sleep } from "@logstore/codec";

/** Waits until the next record may be sent; returns undefined if it may be sent at once. */
export type Pace = () => Promise<void> | undefined;

/** Spreads `perSecond` records evenly over each second. */
export function paceOf(perSecond: number | undefined, signal: AbortSignal): Pace {
  if (perSecond === undefined) return () => undefined;
  const startedAt = performance.now();
  let sent = 0;
  return () => {
    const dueAt = startedAt + (sent++ * 1000) / perSecond;
    const ms = dueAt - performance.now();
    return ms < 1 ? undefined : sleep(ms, signal);
  };
}
