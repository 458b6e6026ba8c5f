/**
 * Work on many things, a bounded number at a time. Items beyond the first that are worked on at
 * once begin in slices of the event loop, which all calls share: thousands of closes that have
 * nothing to wait for do not hold it.
 */
import { sharedPacer } from "./pacer.js";

/** So many at once: enough to keep the disk busy, few enough to keep files and memory few. */
const AT_ONCE = 64;

/** Begins nothing more when one fails, waits for what is under way, and throws the first error. */
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

/** For clean-up: goes on to the end whatever fails, then throws the first error. */
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
