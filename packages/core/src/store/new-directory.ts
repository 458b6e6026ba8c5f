import { type LogStoreHooks, tell } from "../hooks/hooks.js";
import { newDirectory } from "../hooks/warnings.js";
import { isInMemory } from "../storage/home.js";

/** Warns that a directory was empty or did not exist; not for memory, which is always new. */
export function tellNewDirectory({ warned }: LogStoreHooks, directory: string, what: string): void {
  if (warned !== undefined && !isInMemory(directory)) tell(() => warned(newDirectory(directory, what)));
}
