/** What a caller is told when a call that was passed on has failed. */
import { LogStoreError, UnavailableError } from "@logstore/codec";

/** When to ask again if the owner is not known, or has just lost what it owned, in ms. */
const RETRY_MS = 100;

export function isNotOwner(error: unknown): error is LogStoreError {
  return error instanceof LogStoreError && error.code === "NOT_OWNER";
}

/** Whether the owner does not accept the broker that passed the call on. */
export function isRefusedPeer(error: unknown): error is LogStoreError {
  return error instanceof LogStoreError && (error.code === "UNAUTHENTICATED" || error.code === "PERMISSION_DENIED");
}

/**
 * The error for the caller, who asked neither for an owner nor under the name of this broker, and
 * has closed nothing: it has to try again, at any broker.
 */
export function callersError(error: unknown): unknown {
  if (isNotOwner(error)) return again(error.message, error);
  if (isRefusedPeer(error)) return again("the owner does not accept calls of the broker that was asked", error);
  if (error instanceof LogStoreError && error.code === "CLOSED") return again("the owner has been lost", error);
  return error;
}

function again(message: string, cause: LogStoreError): UnavailableError {
  const { address: _, ...fields } = cause.fields;
  return new UnavailableError(message, { retryAfterMs: RETRY_MS, ...fields }, { cause });
}
