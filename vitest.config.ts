import { defineConfig } from "vitest/config";

/** The tests of all packages in one run, so that every processor has work to the end. */
export default defineConfig({
  test: { projects: ["packages/*/vitest.config.ts", "tests/vitest.{shared,alone}.config.ts"] },
});
