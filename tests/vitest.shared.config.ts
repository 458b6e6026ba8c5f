import { defineConfig } from "vitest/config";
import { alone } from "./vitest.alone.config.ts";

/**
 * Tests that run beside others. They start processes: on a busy machine each takes long, and what
 * hangs is seen all the same.
 */
export default defineConfig({
  test: {
    name: "tests",
    include: ["src/**/*.test.ts"],
    exclude: alone,
    maxWorkers: "100%",
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
