/**
 * Calls every function in order, even if one throws. After the last call, throws the first error.
 * The functions may come from a generator: it resumes only after the previous function has
 * returned, so it can react to what that function did.
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
