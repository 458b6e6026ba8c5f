/** Tokens that somebody else issues. */

import { createHash } from "node:crypto";
import { type LogStoreError, UnauthenticatedError, UnavailableError } from "@logstore/codec";
import { errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import { defaultAlgorithms, isPrincipal, type JwtConfig } from "./access-config.js";
import { BoundedMap } from "./bounded-map.js";
import type { Identity } from "./identity.js";
import { KeysUnavailable, openKeys } from "./jwt-keys.js";
import { expired } from "./static-tokens.js";

/** How far the issuer's clock may be from ours. */
const CLOCK_TOLERANCE_MS = 5_000;
/** Tokens whose check is remembered, and for how long: their key may have been withdrawn. */
const MAX_REMEMBERED_BYTES = 4 * 1024 * 1024;
const REMEMBERED_MS = 300_000;

export class JwtTokens {
  readonly #config: JwtConfig;
  readonly #keys: JWTVerifyGetKey;
  /**
   * By a hash of the token: a principal's name is all that is kept of it, of up to 1,000
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

  /** @throws InvalidArgumentError where a file of keys cannot be read or holds none */
  static async open(config: JwtConfig, onTrouble: (message: string, cause: unknown) => void): Promise<JwtTokens> {
    return new JwtTokens(config, await openKeys(config, onTrouble));
  }

  /**
   * At once where the token was seen lately.
   *
   * @throws UnauthenticatedError where it is not valid, UnavailableError where that cannot be found
   * out now
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
        // Without an end it would be good for ever, for whoever finds it.
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
  // What is wrong with it is for its issuer to know, and for the log, not for whoever tries.
  return new UnauthenticatedError("the token is not valid", {}, { cause: error });
}
