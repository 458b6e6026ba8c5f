import { Pacer } from "../partition/pacer.js";

/** So many at once: enough to keep the disk busy, few enough to keep files and memory few. */
const AT_ONCE = 64;

/**
 * Opens `count` things, each by its index. Where one fails, those that were opened are closed, and nobody works on anything any
 * more when it is told.
 */
export async function allOrNone<T extends { close(): Promise<void> }>(
  count: number,
  open: (index: number) => Promise<T>,
): Promise<T[]> {
  const opened: T[] = new Array(count);
  let failed: { readonly error: unknown } | undefined;
  let next = 0;
  const pacer = new Pacer(); // memory answers at once, and so do a thousand files
  const worker = async () => {
    while (next < count && failed === undefined) {
      const index = next++;
      try {
        opened[index] = await open(index);
        await pacer.pause();
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker));
  if (failed === undefined) return opened;
  await Promise.allSettled(opened.map((each) => each.close()));
  throw failed.error;
}
