/**
 * Returns a function that calls `read` once in a turn of the event loop, and returns the same
 * result until the turn ends.
 */
export function onceATurn<T>(read: () => T): () => T {
  let result: T | undefined;
  const forget = () => {
    result = undefined;
  };
  return () => {
    if (result === undefined) {
      result = read();
      process.nextTick(forget);
    }
    return result;
  };
}
