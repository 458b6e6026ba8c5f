/** `@logstore/core` in this process, compared with plain file loops. */
import { append } from "./engine/append.ts";
import { flushed } from "./engine/flushed.ts";
import { read } from "./engine/read.ts";
import { singleAppends } from "./engine/single-appends.ts";
import type { Result } from "./measure.ts";
import { progress } from "./report.ts";
import type { Settings } from "./settings.ts";

export async function engine(settings: Settings): Promise<Result[]> {
  const results: Result[] = [];
  for (const workload of [append, read, singleAppends, flushed]) {
    progress(workload.name);
    results.push(...(await workload(settings)));
  }
  return results;
}
