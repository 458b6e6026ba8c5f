/** Tokens whose hashes are in the configuration. */
import { createHash, timingSafeEqual } from "node:crypto";
import { UnauthenticatedError } from "@logstore/codec";
import type { TokenConfig } from "./access-config.js";
import type { Identity } from "./identity.js";

export class StaticTokens {
  readonly #tokens: readonly { readonly hash: Buffer; readonly identity: Identity }[];

  constructor(tokens: readonly TokenConfig[]) {
    this.#tokens = tokens.map(({ principal, sha256, expiresAt }) => ({
      hash: Buffer.from(sha256, "hex"),
      identity: { principal, expiresAt: expiresAt === undefined ? undefined : Date.parse(expiresAt) },
    }));
  }

  /**
   * Returns the identity of a token; undefined if it is not one of these.
   *
   * @throws UnauthenticatedError if it has expired
   */
  identify(token: string): Identity | undefined {
    const hash = createHash("sha256").update(token).digest();
    let found: Identity | undefined;
    // Compares with all of them in constant time, so that the duration reveals nothing.
    for (const one of this.#tokens) if (timingSafeEqual(one.hash, hash)) found = one.identity;
    if (found?.expiresAt !== undefined && found.expiresAt <= Date.now()) throw expired();
    return found;
  }
}

export function expired(): UnauthenticatedError {
  return new UnauthenticatedError("the credentials have expired: call again with newer ones");
}
