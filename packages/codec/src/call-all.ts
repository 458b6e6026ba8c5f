/**
 * Calls every function, in order, also after one that throws. When all were called, throws what the
 * first failed one threw. The functions may come from a generator, which then sees the effect of
 * each call before it yields the next function.
 */
export function callAll(functions: Iterable<() => void>): void {
  const errors: unknown[] = [];
  for (const call of functions) {
    try {
      call();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
