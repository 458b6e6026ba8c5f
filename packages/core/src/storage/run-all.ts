/** Clean-up that runs to its end, whatever fails in it. */

/**
 * Runs every step, one after another. When all are done, throws what the first failed step threw:
 * the later ones mostly fail for the same reason.
 */
export async function runAll(...steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  throwFirst(errors);
}

/** Awaits all of them, and throws as {@link runAll} does. */
export async function allSettled(promises: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(promises);
  throwFirst(results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : [])));
}

function throwFirst(errors: readonly unknown[]): void {
  if (errors.length > 0) throw errors[0];
}
