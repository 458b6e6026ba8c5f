/** Reads of a log that is not in the page cache. Linux only, with GNU `dd`. */
import { EMBEDDED, takingPart } from "../../contestants/list.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { contest } from "./contest.ts";

const VALUE_BYTES = 100;
const BATCH = 1_000;
/** Those that map files into memory keep the pages. */
const MAPS_FILES = ["lmdb", "classic-level", "hypercore", "Go ancestor"];

export async function embeddedUncached(settings: Settings): Promise<Result[]> {
  const { read } = await contest(
    takingPart(
      EMBEDDED.filter(({ name }) => !MAPS_FILES.includes(name)),
      settings,
    ),
    { ...settings, runMs: settings.runMs / 2 },
    { durability: "written", firstCount: BATCH * 10, step: BATCH },
    ["read"],
    async (worker, count) => {
      const appendMs = await worker.ask("append", { count, valueBytes: VALUE_BYTES, batch: BATCH });
      await worker.ask("evict", undefined as never);
      const readMs = await worker.ask("read", { count, valueBytes: VALUE_BYTES });
      await worker.ask("remove", undefined as never);
      return { appendMs, figures: { read: (count / readMs) * 1_000 } };
    },
  );
  const title = `Read, ${VALUE_BYTES} B, batches of ${BATCH}, not in the page cache`;
  return [{ name: "embedded.read.uncached", title, unit: "records/s", series: read, ratios: [] }];
}
