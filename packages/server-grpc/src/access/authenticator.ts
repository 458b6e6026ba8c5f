/** Authenticates callers by their credentials. */
import { UnauthenticatedError } from "@logstore/codec";
import { type AccessConfig, ANONYMOUS, type CertificateName } from "./access-config.js";
import { certificateIdentity } from "./certificate-identity.js";
import type { CertificateFields, Credentials, Identity } from "./identity.js";
import { JwtTokens } from "./jwt-tokens.js";
import { StaticTokens } from "./static-tokens.js";

/** A longer header contains no valid token. */
const MAX_TOKEN_LENGTH = 8_192;

const anonymous: Identity = { principal: ANONYMOUS };

export class Authenticator {
  readonly #encrypted: boolean;
  readonly #staticTokens: StaticTokens;
  readonly #jwtTokens: JwtTokens | undefined;
  readonly #certificateName: CertificateName;

  private constructor(config: AccessConfig, encrypted: boolean, jwtTokens: JwtTokens | undefined) {
    this.#encrypted = encrypted;
    this.#staticTokens = new StaticTokens(config.tokens ?? []);
    this.#jwtTokens = jwtTokens;
    this.#certificateName = config.certificates?.principal ?? "commonName";
  }

  /**
   * @param encrypted whether calls come over TLS
   *
   * @throws InvalidArgumentError if keys cannot be read
   */
  static async open(
    config: AccessConfig,
    encrypted: boolean,
    onTrouble: (message: string, cause: unknown) => void,
  ): Promise<Authenticator> {
    return new Authenticator(config, encrypted, config.jwt && (await JwtTokens.open(config.jwt, onTrouble)));
  }

  /**
   * A token takes precedence over the certificate of its connection. Returns synchronously if
   * nothing has to be computed.
   *
   * @throws UnauthenticatedError if the credentials are not valid, UnavailableError if they cannot
   * be checked now
   */
  identify({ authorization, certificate }: Credentials): Identity | Promise<Identity> {
    if (authorization.length > 0) return this.#identifyToken(authorization);
    return certificate ? this.identifyCertificate(certificate) : anonymous;
  }

  /** @throws UnauthenticatedError */
  identifyCertificate(certificate: CertificateFields): Identity {
    const identity = certificateIdentity(certificate, this.#certificateName);
    if (identity.expiresAt! > Date.now()) return identity;
    throw new UnauthenticatedError("the client certificate has expired: connect with a newer one");
  }

  #identifyToken(authorization: readonly string[]): Identity | Promise<Identity> {
    if (!this.#encrypted) {
      throw new UnauthenticatedError("tokens are accepted over TLS only: this one was readable in transit, replace it");
    }
    const [header = ""] = authorization;
    const [, token] = /^Bearer +([\w.~+/=-]+) *$/i.exec(header.slice(0, MAX_TOKEN_LENGTH)) ?? [];
    if (authorization.length > 1 || token === undefined || header.length > MAX_TOKEN_LENGTH) {
      throw new UnauthenticatedError('authorization is one header: "Bearer" and a token');
    }
    const identity = this.#staticTokens.identify(token);
    if (identity) return identity;
    if (this.#jwtTokens) return this.#jwtTokens.identify(token);
    throw new UnauthenticatedError("the token is not valid");
  }
}
