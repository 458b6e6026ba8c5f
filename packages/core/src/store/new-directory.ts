import { type LogStoreHooks, tell } from "../partition/hooks.js";
import { newDirectory } from "../storage/warnings.js";

/** Tells that there was nothing in a directory. What is in memory is always new. */
export function tellNewDirectory({ warned }: LogStoreHooks, directory: string, what: string): void {
  if (warned !== undefined && directory !== ":memory:") tell(() => warned(newDirectory(directory, what)));
}
