/**
 * A handler refused an event. The message is that of its RpcException; it is in the parked record.
 */
export class EventFailedError extends Error {
  override readonly name = "EventFailedError";
}

/** A log has no replies. */
export class NoReplyError extends Error {
  override readonly name = "NoReplyError";
}

/** What Nest makes of an exception is not always an Error: `{ status, message }`. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  const { message } = Object(thrown) as { readonly message?: unknown };
  return new EventFailedError(typeof message === "string" ? message : JSON.stringify(thrown), { cause: thrown });
}
