/** One read whose bytes are taken from a budget that readers share. */
import type { ReadBudget } from "@logstore/protocol";
import type { BatchReader, Chunk, ReadOptions } from "./batch-reader.js";

/** The next batches, as {@link BatchReader.next} gives them; so many bytes of the budget are whoever's they are now. */
export async function readInBudget(
  reader: BatchReader,
  options: Omit<ReadOptions, "makeRoom">,
  budget: ReadBudget,
): Promise<Chunk | undefined> {
  const inBudget = budget.take(options.maxBytes, 0);
  let takenBytes = typeof inBudget === "number" ? inBudget : await inBudget;
  const makeRoom = async (bytes: number) => {
    // Whoever waits for room holds none: two that waited for what the other one holds would wait for ever.
    budget.giveBack(takenBytes);
    takenBytes = 0;
    takenBytes = await budget.take(bytes, bytes);
  };
  let chunk: Chunk | undefined;
  try {
    chunk = await reader.next({ ...options, maxBytes: takenBytes, makeRoom });
    return chunk;
  } finally {
    budget.giveBack(takenBytes - (chunk?.bytes.length ?? 0));
  }
}
