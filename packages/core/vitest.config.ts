import { accessSync, constants, statfsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { patience } from "../../vitest.patience.ts";

/**
 * Tests open thousands of stores in real directories, and on a disk they spend most of their time
 * in syncs: the directories are in memory where that has room, unless TMPDIR names a place. Tests
 * that start processes are in `tests/`, and use the disk.
 */
function temporary(): Record<string, string> {
  const memory = "/dev/shm";
  if (process.env["TMPDIR"] !== undefined) return {};
  try {
    accessSync(memory, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize > 2 ** 30 ? { TMPDIR: memory } : {};
  } catch {
    return {}; // not Linux
  }
}

export default defineConfig({
  test: {
    ...patience,
    name: "core",
    maxWorkers: "100%",
    env: temporary(),
    // More runs of the model test take longer.
    testTimeout: patience.testTimeout + 50 * Number(process.env["CORE_RUNS"] ?? 0),
  },
});
