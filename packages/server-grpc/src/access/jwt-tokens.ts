/** Verifies tokens issued by an identity provider. */

import { createHash } from "node:crypto";
import { type LogStoreError, UnauthenticatedError, UnavailableError } from "@logstore/codec";
import { errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import { defaultAlgorithms, isPrincipal, type JwtConfig } from "./access-config.js";
import { BoundedMap } from "./bounded-map.js";
import type { Identity } from "./identity.js";
import { KeysUnavailable, openKeys } from "./jwt-keys.js";
import { expired } from "./static-tokens.js";

/** Largest difference between the issuer's clock and ours. */
const CLOCK_TOLERANCE_MS = 5_000;
/**
 * Size of the cache of verified tokens, and the lifetime of its entries, because a key may be
 * revoked.
 */
const MAX_REMEMBERED_BYTES = 4 * 1024 * 1024;
const REMEMBERED_MS = 300_000;

export class JwtTokens {
  readonly #config: JwtConfig;
  readonly #keys: JWTVerifyGetKey;
  /**
   * By a hash of the token. Of the token only the principal's name is kept, of up to 1,000
   * characters.
   */
  readonly #verified = new BoundedMap<{ readonly identity: Identity; readonly until: number }>(
    MAX_REMEMBERED_BYTES,
    2_000,
  );

  private constructor(config: JwtConfig, keys: JWTVerifyGetKey) {
    this.#config = config;
    this.#keys = keys;
  }

  /** @throws InvalidArgumentError if a key file cannot be read or contains no keys */
  static async open(config: JwtConfig, onTrouble: (message: string, cause: unknown) => void): Promise<JwtTokens> {
    return new JwtTokens(config, await openKeys(config, onTrouble));
  }

  /**
   * Returns synchronously if the token was verified recently.
   *
   * @throws UnauthenticatedError if the token is not valid, UnavailableError if it cannot be
   * checked now
   */
  identify(token: string): Identity | Promise<Identity> {
    const hash = createHash("sha256").update(token).digest("base64");
    const known = this.#verified.get(hash);
    if (!known || known.until <= Date.now()) return this.#verify(token, hash);
    if (known.identity.expiresAt! <= Date.now()) throw expired();
    return known.identity;
  }

  async #verify(token: string, hash: string): Promise<Identity> {
    const { issuer, audience, algorithms = defaultAlgorithms, principalClaim = "sub" } = this.#config;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: CLOCK_TOLERANCE_MS / 1_000,
        // A token without an expiry would be valid forever, for whoever obtains it.
        requiredClaims: ["exp", principalClaim],
      });
      const principal = payload[principalClaim];
      if (!isPrincipal(principal)) throw new UnauthenticatedError("the token names no principal");
      const identity = { principal, expiresAt: payload.exp! * 1_000 + CLOCK_TOLERANCE_MS };
      this.#verified.set(hash, { identity, until: Date.now() + REMEMBERED_MS });
      return identity;
    } catch (error) {
      throw refusal(error);
    }
  }
}

function refusal(error: unknown): LogStoreError {
  if (error instanceof UnauthenticatedError) return error;
  if (error instanceof errors.JWTExpired) return expired();
  if (error instanceof KeysUnavailable) return new UnavailableError("tokens cannot be checked now: try again");
  // The log gets the reason; the caller does not.
  return new UnauthenticatedError("the token is not valid", {}, { cause: error });
}
