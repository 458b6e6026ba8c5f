/**
 * Does work that opens stores by the hundred thousand and leaves most of them as they are: none may
 * keep a timer, which would keep it in memory, and no error a stack, which takes longer than what
 * it tells of. A replay has both.
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
