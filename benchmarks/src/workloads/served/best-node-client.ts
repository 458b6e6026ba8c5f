import { SERVED } from "../../contestants/list.ts";
import { bestOf, type Series } from "../../statistics/spread.ts";

/**
 * The best Node client of another system, of those that store one value as one message: packing is
 * the application's work, and what was packed together cannot be addressed alone.
 */
export function bestNodeClient(series: readonly Series[], better: "higher" | "lower"): Series | undefined {
  const names = new Set(
    SERVED.filter(({ isNodeClient, way }) => isNodeClient && way !== "packed").map(({ name }) => name),
  );
  return bestOf(
    series.filter(({ contestant }) => names.has(contestant)),
    better,
  );
}
