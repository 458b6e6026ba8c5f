import { defineConfig } from "vitest/config";

// A busy machine is no failure: what hangs is seen all the same.
export default defineConfig({ test: { name: "engine-jetstream", maxWorkers: "100%", testTimeout: 30_000 } });
