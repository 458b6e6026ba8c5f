import { defineConfig } from "vitest/config";
import { alone } from "./vitest.alone.config.ts";

/** Tests that run beside others: they start processes, so that each takes long on a busy machine. */
export default defineConfig({
  test: {
    name: "tests",
    include: ["src/**/*.test.ts"],
    exclude: alone,
    maxWorkers: "100%",
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
