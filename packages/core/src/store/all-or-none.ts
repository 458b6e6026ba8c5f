import { inParallel } from "../storage/in-parallel.js";

/**
 * Opens `count` objects by their index. If one fails, the others are closed before the error is
 * thrown.
 */
export async function allOrNone<T extends { close(): Promise<void> }>(
  count: number,
  open: (index: number) => Promise<T>,
): Promise<T[]> {
  const opened: T[] = new Array(count);
  try {
    await inParallel(opened, async (_, index) => {
      opened[index] = await open(index);
    });
  } catch (error) {
    await Promise.allSettled(opened.map((each) => each.close()));
    throw error;
  }
  return opened;
}
