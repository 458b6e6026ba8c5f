import { type LogStoreHooks, tell } from "../hooks/hooks.js";
import { newDirectory } from "../hooks/warnings.js";
import { isInMemory } from "../storage/home.js";

/** Tells that there was nothing in a directory. What is in memory is always new. */
export function tellNewDirectory({ warned }: LogStoreHooks, directory: string, what: string): void {
  if (warned !== undefined && !isInMemory(directory)) tell(() => warned(newDirectory(directory, what)));
}
