/** What a failed request to NATS says. */
import { LogStoreError, UnavailableError } from "@logstore/codec";
import { JetStreamApiCodes, JetStreamApiError, JetStreamError } from "@nats-io/jetstream";

/** Whether a compare-and-set, or an expected sequence, was refused. */
export function isWrongSequence(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}

export function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

/** Whether a direct get found no message. */
export function isNoMessage(error: unknown): boolean {
  return error instanceof JetStreamError && (error as { readonly code?: unknown }).code === 404;
}

/** @param what what could not be done: "topic t cannot be looked up" */
export function unavailable(what: string, cause: unknown): LogStoreError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new UnavailableError(
    `${what}: ${why}; try again, and see whether the NATS cluster has a quorum`,
    {},
    { cause },
  );
}

/** Awaits requests. If they fail for a reason of NATS, that is an UnavailableError. */
export async function available<T>(what: string, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw error instanceof LogStoreError ? error : unavailable(what, error);
  }
}
