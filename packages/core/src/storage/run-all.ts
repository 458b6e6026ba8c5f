/** Clean-up that runs completely even if a step fails. */

/**
 * Runs all steps in order. Afterwards throws the first error, because later ones usually have the
 * same cause.
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

/** Awaits all promises, then throws the first error, like {@link runAll}. */
export async function allSettled(promises: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(promises);
  throwFirst(results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : [])));
}

function throwFirst(errors: readonly unknown[]): void {
  if (errors.length > 0) throw errors[0];
}
