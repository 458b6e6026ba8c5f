import { defineConfig } from "vitest/config";

// A busy machine is no failure: what hangs is seen all the same.
export default defineConfig({ test: { name: "nestjs", maxWorkers: "100%", testTimeout: 20_000 } });
