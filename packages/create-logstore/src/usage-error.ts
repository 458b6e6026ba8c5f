/** The command line is invalid. The message says what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
