import { LogStoreError } from "@logstore/codec";
import type { ErrorTranslator } from "../services/error-status.js";
import type { ServerMetrics } from "./server-metrics.js";

/**
 * Counts every error with which a peer is answered, including failed authentication, quotas and
 * damaged partitions.
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
