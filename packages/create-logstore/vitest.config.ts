import { defineConfig } from "vitest/config";
import { patience } from "../../vitest.patience.ts";

export default defineConfig({
  test: { ...patience, name: "create-logstore", include: ["src/**/*.test.ts"], maxWorkers: "100%" },
});
