/** Generates bearer tokens, of which the server knows only the hashes. */
import { createHash, randomBytes } from "node:crypto";
import { UsageError } from "./usage-error.js";

/** Enough to make guessing impossible. */
const TOKEN_BYTES = 32;

/** Returns a new token and its entry for `access.tokens` in the configuration. */
export function newToken(principal = "someone"): string {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  return `${token}\n\n${tokenEntry(token, principal)}`;
}

/**
 * Returns the configuration entry of a token.
 *
 * @throws UsageError if there is no token
 */
export function tokenEntry(text: string, principal = "someone"): string {
  const token = text.trim();
  if (token === "" || /\s/.test(token)) throw new UsageError("a token is one word, on standard input");
  const sha256 = createHash("sha256").update(token).digest("hex");
  return `- principal: ${JSON.stringify(principal)}\n  sha256: ${sha256}`;
}
