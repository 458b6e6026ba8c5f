import { defineConfig } from "vitest/config";
import { patience } from "../../vitest.patience.ts";

export default defineConfig({ test: { ...patience, name: "server-grpc", maxWorkers: "100%" } });
