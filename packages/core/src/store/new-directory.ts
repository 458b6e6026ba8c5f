import { type LogStoreHooks, tell } from "../hooks/hooks.js";
import { newDirectory } from "../hooks/warnings.js";

/** Tells that there was nothing in a directory. What is in memory is always new. */
export function tellNewDirectory({ warned }: LogStoreHooks, directory: string, what: string): void {
  if (warned !== undefined && directory !== ":memory:") tell(() => warned(newDirectory(directory, what)));
}
