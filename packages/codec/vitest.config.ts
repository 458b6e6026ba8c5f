import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { patience } from "../../vitest.patience.ts";

export default defineConfig({
  // package.json maps "#platform" to dist, but the tests use the sources, whether or not they are
  // built.
  resolve: { alias: { "#platform": fileURLToPath(new URL("src/platform/node.ts", import.meta.url)) } },
  // More runs of the property tests take longer.
  test: {
    ...patience,
    name: "codec",
    maxWorkers: "100%",
    testTimeout: patience.testTimeout + 20 * Number(process.env["CODEC_RUNS"] ?? 0),
  },
});
