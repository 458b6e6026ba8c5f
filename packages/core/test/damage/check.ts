/** An assertion that costs nothing while it holds, except for the construction of its message. */
export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}
