/**
 * Runs a task for each item, with bounded concurrency. Tasks beyond the first few start in slices
 * of the event loop, which all calls share, so that thousands of closes that have nothing to wait
 * for do not block it.
 */
import { sharedPacer } from "../pacing/pacer.js";

/** Enough to keep the disk busy, and few enough to bound open files and memory. */
const AT_ONCE = 64;

/**
 * Starts no further task after a failure, waits for those in progress, and throws the first error.
 */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  let next = 0;
  const worker = async () => {
    while (next < items.length && failed === undefined) {
      const index = next++;
      while (index >= AT_ONCE && sharedPacer.isDue) await sharedPacer.pause();
      try {
        await work(items[index]!, index);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  if (failed !== undefined) throw failed.error;
}

/** For clean-up: runs all tasks even if some fail, then throws the first error. */
export async function eachInParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  await inParallel(items, async (item) => {
    try {
      await work(item);
    } catch (error) {
      failed ??= { error };
    }
  });
  if (failed !== undefined) throw failed.error;
}
