/** Bearer tokens: made here, and known to the server by their hash only. */
import { createHash, randomBytes } from "node:crypto";
import { UsageError } from "./usage-error.js";

/** Enough that nobody guesses one. */
const TOKEN_BYTES = 32;

/** The token, and what the configuration says of it: an entry of `access.tokens`. */
export function newToken(principal = "someone"): string {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  return `${token}\n\n${tokenEntry(token, principal)}`;
}

/** What the configuration says of a token. @throws UsageError where there is none */
export function tokenEntry(text: string, principal = "someone"): string {
  const token = text.trim();
  if (token === "" || /\s/.test(token)) throw new UsageError("a token is one word, on standard input");
  const sha256 = createHash("sha256").update(token).digest("hex");
  return `- principal: ${JSON.stringify(principal)}\n  sha256: ${sha256}`;
}
