/**
 * Timers without the limits of setTimeout and setInterval, which turn any delay of 2^31 ms or more,
 * Infinity and NaN into 1 ms. All packages use these.
 */

/** The longest delay of setTimeout, ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export interface TimerOptions {
  /** Whether the process stays alive for the timer. Default true. */
  readonly keepsAlive?: boolean | undefined;
}

/** A timer that has been started. */
export interface Timer {
  /**
   * Has no effect on a timer that was cancelled already, and on a one-shot timer that has fired.
   */
  cancel(): void;
}

/**
 * Calls back once, `ms` from now: never if that is Infinity, as soon as possible if it is negative
 * or NaN. A timer that never fires does not keep the process alive.
 */
export function startTimer(ms: number, callback: () => void, { keepsAlive = true }: TimerOptions = {}): Timer {
  if (ms === Number.POSITIVE_INFINITY) return { cancel() {} };
  let left = Math.max(ms || 0, 0);
  let handle: ReturnType<typeof setTimeout>;
  const wait = () => {
    const delay = Math.min(left, MAX_DELAY_MS);
    left -= delay;
    handle = setTimeout(left > 0 ? wait : callback, delay);
    if (!keepsAlive) unref(handle);
  };
  wait();
  return { cancel: () => clearTimeout(handle) };
}

/** Calls back every `ms`, which is at least 1; never if that is Infinity. */
export function startInterval(ms: number, callback: () => void, { keepsAlive = true }: TimerOptions = {}): Timer {
  if (ms > MAX_DELAY_MS) {
    let timer: Timer;
    const repeat = () => {
      timer = startTimer(ms, repeat, { keepsAlive });
      callback();
    };
    timer = startTimer(ms, repeat, { keepsAlive });
    return { cancel: () => timer.cancel() };
  }
  const handle = setInterval(callback, ms);
  if (!keepsAlive) unref(handle);
  return { cancel: () => clearInterval(handle) };
}

/** Browsers have numbers for handles, and no processes to keep alive. */
function unref(handle: unknown): void {
  (handle as { unref?(): void }).unref?.();
}
