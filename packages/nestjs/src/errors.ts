/** A log has no replies. */
export class NoReplyError extends Error {
  override readonly name = "NoReplyError";
}
