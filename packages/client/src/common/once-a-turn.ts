import { nextTick } from "node:process";

/**
 * Returns a function that calls `read` once in a turn of the event loop, and returns the same
 * result until the turn ends. It keeps to the real `nextTick` where a test fakes that of `process`:
 * a call that never comes would keep the result for ever.
 */
export function onceATurn<T>(read: () => T): () => T {
  let result: T | undefined;
  const forget = () => {
    result = undefined;
  };
  return () => {
    if (result === undefined) {
      result = read();
      nextTick(forget);
    }
    return result;
  };
}
