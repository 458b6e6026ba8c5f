/**
 * Measures the memory that consumer groups occupy in a server with a small heap: `node
 * src/group-memory/main.ts [--calls 2000] [--bin FILE]` prints it before and after each way to
 * accumulate state, and after a restart.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { attacked } from "./attacked.ts";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "2000" },
    heap: { type: "string", default: "128" },
    bin: { type: "string" },
  },
});
const directory = mkdtempSync(join(tmpdir(), "logstore-group-memory-"));
try {
  const seen = await attacked(directory, {
    calls: Number(values.calls),
    heapMebibytes: Number(values.heap),
    bin: values.bin,
  });
  console.log(JSON.stringify(seen, undefined, 2));
} finally {
  rmSync(directory, { recursive: true });
}
