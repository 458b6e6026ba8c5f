/** An error in the protocol's words, for answers that carry one beside what is known. */
import type { LogStoreError } from "@logstore/codec";
import type { ErrorDetail } from "@logstore/protocol";

export function detailOf(error: LogStoreError): ErrorDetail {
  return { code: error.code, message: error.message, ...error.fields };
}
