import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "core",
    maxWorkers: "100%",
    // More runs of the model test take longer.
    testTimeout: 20_000 + 50 * Number(process.env["CORE_RUNS"] ?? 0),
  },
});
