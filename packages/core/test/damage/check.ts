/**
 * An assertion that costs nothing while it holds: what is said otherwise may still cost, where it
 * is put together.
 */
export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}
