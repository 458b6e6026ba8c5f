/** The JSON of a run. */
import type { Settings } from "../settings.ts";
import type { Result } from "../statistics/result.ts";
import type { Machine } from "./machine.ts";

/** A workload that ran. */
export interface WorkloadRun {
  readonly name: string;
  readonly seconds: number;
  /** Why it failed. */
  readonly failure?: string;
}

export interface Report {
  /** When it ended, ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Omit<Settings, "directory" | "servers" | "otherCheckout">;
  readonly workloads: readonly WorkloadRun[];
  readonly results: readonly Result[];
}
