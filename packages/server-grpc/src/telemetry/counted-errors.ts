import { LogStoreError } from "@logstore/codec";
import type { ErrorTranslator } from "../services/error-status.js";
import type { ServerMetrics } from "./server-metrics.js";

/**
 * Every error that a peer is answered with is counted: refused logins, quotas and damaged
 * partitions among them.
 */
export function countedErrors(errors: ErrorTranslator, metrics: ServerMetrics): ErrorTranslator {
  return {
    toDetail(error) {
      metrics.answeredError(codeOf(error));
      return errors.toDetail(error);
    },
    toStatus(error) {
      metrics.answeredError(codeOf(error));
      return errors.toStatus(error);
    },
  };
}

export function codeOf(error: unknown): string {
  return error instanceof LogStoreError ? error.code : "INTERNAL";
}
