/**
 * Converts an error to an ErrorDetail, for responses that contain an error in addition to results.
 */
import type { LogStoreError } from "@logstore/codec";
import type { ErrorDetail } from "@logstore/protocol";

export function detailOf(error: LogStoreError): ErrorDetail {
  return { code: error.code, message: error.message, ...error.fields };
}
