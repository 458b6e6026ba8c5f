import { defineConfig } from "vitest/config";

// Generous, because a busy machine is not a failure; a test that hangs is still found.
export default defineConfig({ test: { name: "cli", maxWorkers: "100%", testTimeout: 20_000 } });
