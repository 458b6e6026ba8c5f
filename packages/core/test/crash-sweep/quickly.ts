/**
 * Runs work that opens stores by the hundred thousand without closing most of them: it disables
 * timers, which would keep them in memory, and stack traces, which cost more than the errors
 * themselves. A replay has both.
 */
export async function quickly<T>(work: () => Promise<T>): Promise<T> {
  const { setInterval } = globalThis;
  const { stackTraceLimit } = Error;
  const noTimer = { unref() {} };
  globalThis.setInterval = (() => noTimer) as unknown as typeof setInterval;
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    globalThis.setInterval = setInterval;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
