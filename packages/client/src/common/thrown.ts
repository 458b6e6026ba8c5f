/**
 * Text of values that application code throws: they may be of any type, and reading their
 * properties may throw in turn.
 */

const UNKNOWN = "something was thrown that has no text";

/**
 * Returns a text for a thrown value: an error's message, or the value as a string. Never throws.
 */
export function textOf(thrown: unknown): string {
  try {
    const message = thrown instanceof Error ? thrown.message : undefined;
    if (typeof message === "string") return message;
    // An error without a usable message: its name says more than "[object Object]".
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
