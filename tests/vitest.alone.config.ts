import { defineConfig } from "vitest/config";

/**
 * Tests that measure memory, or race with a process that starts: they run one file after another,
 * last.
 */
export const alone = ["src/command-process.test.ts", "src/group-memory.test.ts", "src/unsent-messages.test.ts"];

export default defineConfig({
  test: { name: "tests, alone", include: alone, fileParallelism: false, testTimeout: 300_000, hookTimeout: 300_000 },
});
