/** The JSON of a run. */
import type { Settings } from "../settings.ts";
import type { Result } from "../statistics/result.ts";
import type { Machine } from "./machine.ts";

export interface Report {
  /** When it ended, ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Omit<Settings, "directory" | "servers" | "otherCheckout">;
  readonly results: readonly Result[];
  /** Workloads that failed, with the error. */
  readonly failures: readonly string[];
}
