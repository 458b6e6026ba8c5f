/** Converts errors to what a peer receives. */
import { Metadata, type StatusObject } from "@grpc/grpc-js";
import { type ErrorCode, InternalError, LogStoreError } from "@logstore/codec";
import {
  ERROR_DETAIL_TYPE_URL,
  type ErrorDetail,
  grpcStatusByErrorCode,
  RETRY_INFO_TYPE_URL,
  STATUS_DETAILS_KEY,
} from "@logstore/protocol";
import type { Proto } from "./load-proto.js";

// Compiles only if the table in protocol and the classes in codec have the same codes.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
true satisfies Same<ErrorCode, keyof typeof grpcStatusByErrorCode>;

/**
 * Limits on texts in trailers, percent-encoded as gRPC sends them. Many peers accept only 8 KiB of
 * trailers, which contain the message three times: as such, in the status, and in the detail.
 */
const MAX_MESSAGE_LENGTH = 1_000;
const MAX_FIELD_LENGTH = 400;

export interface ErrorTranslator {
  /** For a response within a stream that continues. */
  toDetail(error: unknown): ErrorDetail;
  /** For the end of a call; the detail is in the trailers. */
  toStatus(error: unknown): StatusObject;
}

/**
 * An error that is not a LogStoreError must not disclose internals of the server: the peer gets
 * INTERNAL, and `onError` the original.
 */
export function errorTranslator(proto: Proto, onError: (error: unknown) => void): ErrorTranslator {
  const known = (error: unknown): LogStoreError => {
    if (error instanceof LogStoreError) return error;
    onError(error);
    return new InternalError("internal error: the server's log tells more");
  };
  return {
    toDetail: (error) => detailOf(known(error)),
    toStatus(error) {
      const detail = detailOf(known(error));
      const code = grpcStatusByErrorCode[detail.code];
      const details = [{ type_url: ERROR_DETAIL_TYPE_URL, value: proto.encodeErrorDetail(detail) }];
      const { retryAfterMs } = detail;
      if (retryAfterMs !== undefined) {
        details.push({ type_url: RETRY_INFO_TYPE_URL, value: proto.encodeRetryInfo(retryInfo(retryAfterMs)) });
      }
      const status = { code, message: detail.message, details };
      const metadata = new Metadata();
      metadata.set(STATUS_DETAILS_KEY, proto.encodeStatus(status));
      return { code, details: detail.message, metadata };
    },
  };
}

function detailOf(error: LogStoreError): ErrorDetail & { code: ErrorCode } {
  const fields = Object.entries(error.fields).map(([name, value]) => [
    name,
    typeof value === "string" ? shortened(value, MAX_FIELD_LENGTH) : value,
  ]);
  return { ...Object.fromEntries(fields), code: error.code, message: shortened(error.message, MAX_MESSAGE_LENGTH) };
}

/** In the standard form, for clients that do not know ErrorDetail. */
function retryInfo(retryAfterMs: number) {
  const seconds = Math.floor(retryAfterMs / 1_000);
  return { retryDelay: { seconds, nanos: (retryAfterMs - seconds * 1_000) * 1_000_000 } };
}

/** Texts may quote peer input of any length and with any characters. */
function shortened(text: string, maxLength: number): string {
  let short = text.slice(0, maxLength).toWellFormed();
  while (encodeURI(short).length > maxLength) {
    // Truncation may split a surrogate pair, which cannot be percent-encoded.
    short = short.slice(0, Math.floor(short.length * 0.8)).toWellFormed();
  }
  return short;
}
