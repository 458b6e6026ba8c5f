/**
 * Timers without the limits of setTimeout and setInterval, which turn any delay of 2^31 ms or more,
 * Infinity and NaN into 1 ms. Used by all packages.
 */

/** The longest delay that setTimeout supports, in ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Options of {@link startTimer} and {@link startInterval}. */
export interface TimerOptions {
  /** Whether the timer keeps the process alive. Default true. */
  readonly keepsAlive?: boolean | undefined;
}

/** A started timer. */
export interface Timer {
  /**
   * Cancels the timer. Has no effect if it was cancelled already or, for a one-shot timer, has
   * fired.
   */
  cancel(): void;
}

/** A timer that calls back once. */
export interface OneShotTimer extends Timer {
  /** Says whether the timer keeps the process alive from now on. */
  keepAlive(isWanted: boolean): void;
}

/**
 * Calls back once after `ms`: never if that is Infinity, as soon as possible if it is negative or
 * NaN. A timer that never fires does not keep the process alive.
 */
export function startTimer(ms: number, callback: () => void, { keepsAlive = true }: TimerOptions = {}): OneShotTimer {
  if (ms === Number.POSITIVE_INFINITY) return { cancel() {}, keepAlive() {} };
  let isKept = keepsAlive;
  let left = Math.max(ms || 0, 0);
  let handle: ReturnType<typeof setTimeout>;
  const wait = () => {
    const delay = Math.min(left, MAX_DELAY_MS);
    left -= delay;
    handle = setTimeout(left > 0 ? wait : callback, delay);
    if (!isKept) unref(handle);
  };
  const keepAlive = (isWanted: boolean) => {
    isKept = isWanted;
    if (isWanted) ref(handle);
    else unref(handle);
  };
  wait();
  return { cancel: () => clearTimeout(handle), keepAlive };
}

/** Calls back every `ms`, of at least 1; never if that is Infinity. */
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

/** What {@link sleep} uses of an AbortSignal, a type that not every platform declares. */
export interface SleepSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Resolves after `ms`, as {@link startTimer} counts them, or when `signal` aborts. It never
 * rejects.
 */
export function sleep(ms: number, signal: SleepSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = startTimer(ms, end);
    signal.addEventListener("abort", end);
  });
}

/** In browsers a timer handle is a number, which has neither `ref` nor `unref`. */
function ref(handle: unknown): void {
  (handle as { ref?(): void }).ref?.();
}

function unref(handle: unknown): void {
  (handle as { unref?(): void }).unref?.();
}
