/** Errors on their way out: what of an error a peer gets to see, and in which form. */
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

// The table in protocol and the classes in codec name the same codes, or this does not compile.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
true satisfies Same<ErrorCode, keyof typeof grpcStatusByErrorCode>;

/**
 * Lengths of a text in a trailer, percent-encoded as gRPC sends it. Many peers take no more than 8
 * KiB of trailers in all, and the message goes three times: as it is, in the status, and in the
 * detail.
 */
const MAX_MESSAGE_LENGTH = 1_000;
const MAX_FIELD_LENGTH = 400;

export interface ErrorTranslator {
  /** For an answer within a stream that goes on. */
  toDetail(error: unknown): ErrorDetail;
  /** For the end of a call; the detail is in the trailers. */
  toStatus(error: unknown): StatusObject;
}

/**
 * Errors that are not of LogStore's making say nothing of the server's insides to a peer: it gets
 * INTERNAL, `onError` the original.
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

/** The same once more, for clients who know nothing of ours. */
function retryInfo(retryAfterMs: number) {
  const seconds = Math.floor(retryAfterMs / 1_000);
  return { retryDelay: { seconds, nanos: (retryAfterMs - seconds * 1_000) * 1_000_000 } };
}

/** Texts may quote what a peer sent, of any length and with any characters. */
function shortened(text: string, maxLength: number): string {
  let short = text.slice(0, maxLength).toWellFormed();
  while (encodeURI(short).length > maxLength) {
    // Cutting may part a surrogate pair, which percent-encoding cannot express.
    short = short.slice(0, Math.floor(short.length * 0.8)).toWellFormed();
  }
  return short;
}
