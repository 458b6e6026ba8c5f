import { sleep } from "@logstore/codec";

/** Waits until the next record may go; undefined where it may at once. */
export type Pace = () => Promise<void> | undefined;

/** So many records a second, evenly. */
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
