import { defineConfig } from "vitest/config";

// These tests start processes and measure memory: one after another, so that none starves another.
export default defineConfig({
  test: { include: ["src/**/*.test.ts"], fileParallelism: false, testTimeout: 120_000, hookTimeout: 30_000 },
});
