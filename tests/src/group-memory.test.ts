/**
 * One principal under a byte quota accumulates state of consumer groups: it is refused at the
 * limit, and the server survives, also after a restart.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { attacked } from "./group-memory/attacked.ts";

test("a server with a small heap survives, and restarts with what it accepted", async () => {
  const directory = mkdtempSync(join(tmpdir(), "logstore-group-memory-"));
  try {
    const { tally, survived, groupCounts } = await attacked(directory, { calls: 24, heapMebibytes: 96 });
    expect(survived).toBe(true);
    expect(tally["one commit with long metadata"]).toEqual({ INVALID_ARGUMENT: expect.any(Number) });
    expect(tally["commits with metadata"]).toMatchObject({ GROUP_LIMIT_EXCEEDED: expect.any(Number) });
    // Joins that were in progress when the attack ended may have completed afterwards.
    expect(groupCounts.restarted).toBeGreaterThanOrEqual(groupCounts.after);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
