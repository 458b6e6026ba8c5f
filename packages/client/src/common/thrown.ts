/** What application code throws may be anything, and looking at it may throw in turn. */

const UNKNOWN = "something was thrown that has no text";

/**
 * A text for whatever was thrown: an error's message, else what it is as a string. Never throws.
 */
export function textOf(thrown: unknown): string {
  try {
    const message = thrown instanceof Error ? thrown.message : undefined;
    if (typeof message === "string") return message;
    // An error without a usable message: its name says more than "[object Object]" would.
    if (thrown instanceof Error) return typeof thrown.name === "string" ? thrown.name : UNKNOWN;
    return typeof thrown === "object" && thrown !== null ? objectText(thrown) : String(thrown);
  } catch {
    return UNKNOWN;
  }
}

function objectText(thrown: object): string {
  const { message } = thrown as { message?: unknown };
  if (typeof message === "string") return message;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return String(thrown);
  }
}
