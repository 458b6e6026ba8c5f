/** The cost of streams with little traffic. */
import { join } from "node:path";
import type { Settings } from "../settings.ts";
import type { Result } from "../statistics/result.ts";
import { idleTails } from "./streams/idle-tails.ts";
import { tailLatency } from "./streams/tail-latency.ts";

export async function streams({ directory }: Settings): Promise<Result[]> {
  return [...(await tailLatency(join(directory, "latency"))), ...(await idleTails(join(directory, "idle")))];
}
