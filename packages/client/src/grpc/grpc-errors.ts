import type { Metadata, ServiceError } from "@grpc/grpc-js";
import { status as Status } from "@grpc/grpc-js";
import {
  BatchTooLargeError,
  type ErrorCode,
  InternalError,
  LogStoreError,
  makeError,
  SlowConsumerError,
  UnavailableError,
} from "@logstore/codec";
import { ERROR_DETAIL_TYPE_URL, type ErrorDetail, STATUS_DETAILS_KEY } from "@logstore/protocol";
import { protocolDefinitions } from "./load-proto.js";
import { httpStatusOf } from "./only-grpc.js";

/**
 * Converts the error of a call: to the server's own error if it sent one, otherwise to one that
 * fits the gRPC status.
 */
export function fromServiceError(error: unknown, address: string, usesTls = false): LogStoreError {
  if (error instanceof LogStoreError) return error;
  if (isShutDown(error)) return new UnavailableError(`the connections to ${address} are closed`, {}, { cause: error });
  if (!isServiceError(error)) return new InternalError(`a call to ${address} failed: ${error}`, {}, { cause: error });
  const detail = detailOf(error.metadata);
  if (detail !== undefined) return fromErrorDetail(detail);
  const options = { cause: error };
  const httpStatus = httpStatusOf(error.details);
  if (httpStatus === PAYLOAD_TOO_LARGE) {
    return new BatchTooLargeError(
      `a proxy in front of ${address} refuses requests of this size (HTTP 413): raise its limit (nginx: client_max_body_size 0)`,
      {},
      options,
    );
  }
  if (httpStatus !== undefined) {
    return new UnavailableError(`${address} answered with HTTP status ${httpStatus}, not with gRPC`, {}, options);
  }
  if (error.code === Status.DEADLINE_EXCEEDED) {
    return new UnavailableError(`${address} did not answer in time`, {}, options);
  }
  if (isConnectionTrouble(error)) {
    const reason = connectionReason(error.details);
    return new UnavailableError(`${address} cannot be reached: ${reason}${hintFor(reason, usesTls)}`, {}, options);
  }
  if (isCutOff(error))
    return new SlowConsumerError(`${address} ended the stream because nothing was read for too long`, {}, options);
  return makeError(codeByStatus[error.code] ?? "INTERNAL", `${address}: ${error.details}`, {}, options);
}

/**
 * Whether a failed call means that another address should be used: the server could not be reached
 * or did not answer in time, or something else answered instead of it.
 */
export function isServerAway(error: unknown): boolean {
  if (!isServiceError(error) || detailOf(error.metadata) !== undefined) return false;
  const httpStatus = httpStatusOf(error.details);
  if (httpStatus !== undefined) return httpStatus !== PAYLOAD_TOO_LARGE;
  if (error.code === Status.CANCELLED) return false; // by this client
  return error.code === Status.DEADLINE_EXCEEDED || isConnectionTrouble(error);
}

/** The error of a call that was retried until its time limit. */
export function inLimit(error: LogStoreError, limitMs: number): LogStoreError {
  if (error.code !== "UNAVAILABLE") return error;
  return new UnavailableError(`${error.message} (tried for ${limitMs} ms)`, error.fields, { cause: error.cause });
}

const PAYLOAD_TOO_LARGE = 413;

/** The reason of a failed connection, without gRPC's text around it. */
function connectionReason(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (Error: )?/, "")
    .replace(/\s*\.? ?Resolution note:.*$/s, "")
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/, "")
    .trim();
}

/** Advice for a client and a server that speak different protocols. */
function hintFor(reason: string, usesTls: boolean): string {
  if (usesTls) {
    if (/wrong version number|packet length too long|record layer/i.test(reason)) {
      return ": the server does not speak TLS there; leave out `tls`, or give the port that does";
    }
    if (/certificate/i.test(reason))
      return ": give the CA that the server's certificate comes from as `tls.ca` or `tls.caFile`";
    return "";
  }
  if (!/^(Failed to connect|Protocol error)/.test(reason)) return "";
  return ": no gRPC is spoken there; if the server uses TLS, give `tls: true`, else look at the port";
}

export function fromErrorDetail(detail: ErrorDetail): LogStoreError {
  // Something closed on the server, such as the server itself, may be open again later; CLOSED is
  // only for what is closed in this process.
  if (detail.code === "CLOSED") return new UnavailableError(detail.message, detail);
  return makeError(detail.code, detail.message, detail);
}

/** Error codes for a status without an ErrorDetail, from other servers or proxies. */
const codeByStatus: { readonly [status: number]: ErrorCode } = {
  [Status.INVALID_ARGUMENT]: "INVALID_ARGUMENT",
  [Status.OUT_OF_RANGE]: "OFFSET_OUT_OF_RANGE",
  [Status.UNAUTHENTICATED]: "UNAUTHENTICATED",
  [Status.PERMISSION_DENIED]: "PERMISSION_DENIED",
  // A message beyond the server's size limit is refused by its transport.
  [Status.RESOURCE_EXHAUSTED]: "BATCH_TOO_LARGE",
};

/**
 * Beginnings of grpc-js's messages for a stream that was reset, could not be opened, or ended
 * during a write.
 */
const BROKEN_STREAM = /^(Received RST_STREAM|Failed to start HTTP\/2 stream|Write error: )/;

/**
 * Whether the connection failed. One that breaks during or just before a call is reported as
 * INTERNAL with a text about HTTP/2.
 */
function isConnectionTrouble(error: ServiceError): boolean {
  if (error.code === Status.INTERNAL) return BROKEN_STREAM.test(error.details);
  return error.code === Status.UNAVAILABLE || error.code === Status.CANCELLED;
}

/**
 * Whether the server reset the stream with ENHANCE_YOUR_CALM because nothing was read. The text is
 * grpc-js's.
 */
function isCutOff({ code, details }: ServiceError): boolean {
  return code === Status.RESOURCE_EXHAUSTED && details.startsWith("Bandwidth exhausted");
}

/**
 * Whether a call could not begin because its connection was closed: the server had been left for
 * another address. The text is grpc-js's.
 */
function isShutDown(error: unknown): boolean {
  return error instanceof Error && error.message === "Channel has been shut down";
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "metadata" in error;
}

function detailOf(trailers: Metadata | undefined): ErrorDetail | undefined {
  const [bytes] = trailers?.get(STATUS_DETAILS_KEY) ?? [];
  if (!Buffer.isBuffer(bytes)) return undefined;
  const { status, errorDetail } = protocolDefinitions();
  try {
    const { details } = status.decode(bytes) as { details: { type_url: string; value: Uint8Array }[] };
    const any = details.find(({ type_url }) => type_url === ERROR_DETAIL_TYPE_URL);
    return any && (errorDetail.decode(any.value) as ErrorDetail);
  } catch {
    return undefined; // another format; the status is enough
  }
}
