/**
 * A handler refused an event. The message is that of its RpcException, and is stored in the parked
 * record.
 */
export class EventFailedError extends Error {
  override readonly name = "EventFailedError";
}

/** A log has no replies. */
export class NoReplyError extends Error {
  override readonly name = "NoReplyError";
}

/** Nest may convert an exception to an object that is not an Error: `{ status, message }`. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  const { message } = Object(thrown) as { readonly message?: unknown };
  return new EventFailedError(typeof message === "string" ? message : JSON.stringify(thrown), { cause: thrown });
}
