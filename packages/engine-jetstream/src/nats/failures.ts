/** What a failed request to NATS says. */
import { InvalidArgumentError, LogStoreError, UnauthenticatedError, UnavailableError } from "@logstore/codec";
import { JetStreamApiCodes, JetStreamApiError, JetStreamError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";

/** The code of the server for "replicas > 1 not supported in non-clustered mode". */
const REPLICAS_NEED_A_CLUSTER = 10_074;

/** The code of the server for "JetStream system temporarily unavailable". */
const CLUSTER_NOT_AVAILABLE = 10_008;

/** The code of the server for "no suitable peers for placement". */
const NO_SUITABLE_PEERS = 10_005;

/** The status with which a server answers a request that nobody listens to. */
const NO_RESPONDERS = 503;

/** Whether a compare-and-set, or an expected sequence, was refused. */
export function isWrongSequence(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}

/** Whether a message was not sent, because it is larger than `max_payload`. */
export function isPayloadTooLarge(error: unknown): boolean {
  return error instanceof errors.InvalidArgumentError && error.message.includes("max_payload");
}

export function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

/** Whether a direct get found no message. */
export function isNoMessage(error: unknown): boolean {
  return hasStatus(error, 404);
}

/**
 * Whether a request reached nobody, so that nothing was done. The servers say so ("no responders")
 * while a stream has no leader, and a server does for a moment after another one has created the
 * stream, which it has not heard of yet. The client takes it for a server without JetStream.
 */
export function isUnheard(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return (cause instanceof errors.RequestError && cause.isNoResponders()) || hasStatus(error, NO_RESPONDERS);
}

/** Whether a direct get was answered with a status. */
function hasStatus(error: unknown, status: number): boolean {
  return error instanceof JetStreamError && (error as { readonly code?: unknown }).code === status;
}

/**
 * Whether a request was not answered, or by servers that are about to start: they have no leader,
 * or do not hear from each other yet.
 */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof errors.TimeoutError || isUnheard(error)) return true;
  const { code } = error as { readonly code?: unknown };
  return error instanceof JetStreamApiError && (code === CLUSTER_NOT_AVAILABLE || code === NO_SUITABLE_PEERS);
}

/** @param what what could not be done: "topic t cannot be looked up" */
export function unavailable(what: string, cause: unknown): LogStoreError {
  if (cause instanceof JetStreamApiError && cause.code === REPLICAS_NEED_A_CLUSTER) {
    const advice = "the NATS server is not part of a cluster: make it part of one, or set replicas to 1";
    return new InvalidArgumentError(`${what}: ${advice}`, {}, { cause });
  }
  return new UnavailableError(
    `${what}: ${reason(cause)}; try again, and see whether the NATS cluster has a quorum`,
    {},
    { cause },
  );
}

function reason(cause: unknown): string {
  if (isUnheard(cause))
    return "no NATS server takes the request: the stream has no leader, or JetStream is not enabled";
  return cause instanceof Error ? cause.message : String(cause);
}

/** @param cause why the connection failed */
export function notConnected(cause: unknown): LogStoreError {
  const { name, message, code } = cause as Error & { readonly code?: unknown };
  if (code === "ERR_INVALID_URL") {
    return new InvalidArgumentError('an address of a NATS server is like "nats://n1:4222"', {}, { cause });
  }
  if (name === "AuthorizationError" || name === "UserAuthenticationExpiredError") {
    const what = "give the file of credentials of a user, or a client certificate, that they accept";
    return new UnauthenticatedError(`the NATS servers refuse this broker: ${message}; ${what}`, {}, { cause });
  }
  return unavailable("NATS cannot be reached", cause);
}

/** Awaits requests. If they fail for a reason of NATS, that is an UnavailableError. */
export async function available<T>(what: string, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw error instanceof LogStoreError ? error : unavailable(what, error);
  }
}
