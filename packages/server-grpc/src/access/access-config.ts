/**
 * Configuration of access control as plain data, the same in a program and in a configuration file.
 */
import {
  checkArgument,
  InvalidArgumentError,
  listOf,
  listOfNested,
  nested,
  nonEmptyString,
  type OptionRule,
  oneOf,
  required,
  shown,
  suggestion,
} from "@logstore/codec";
import { type Operation, operations } from "./operations.js";

/** The principal of a caller without credentials. */
export const ANONYMOUS = "anonymous";
/** In a rule: every principal but `anonymous`, every operation, every name. */
export const EVERY = "*";

/** Access control: tokens, certificates, rules and quotas. */
export interface AccessConfig {
  /** Bearer tokens, of which the configuration contains only the hashes. */
  readonly tokens?: readonly TokenConfig[] | undefined;
  /** Tokens issued by an identity provider. */
  readonly jwt?: JwtConfig | undefined;
  /** The name in a client's certificate that is its principal. Default: `commonName`. */
  readonly certificates?: { readonly principal: CertificateName } | undefined;
  /** What is allowed. Everything else is denied. */
  readonly rules: readonly RuleConfig[];
  /**
   * Quotas of principals. If several name a principal, the first one applies. The limits apply to
   * each principal separately, and for `anonymous` to each address separately.
   */
  readonly quotas?: readonly QuotaConfig[] | undefined;
}

/** The name in a certificate that is its principal. */
export type CertificateName = "commonName" | "uri" | "dns";

/** A bearer token and its principal. */
export interface TokenConfig {
  readonly principal: string;
  /**
   * SHA-256 of the token, as hex. The token itself should be random, for example 32 random bytes: a
   * hash does not protect a token that can be guessed.
   */
  readonly sha256: string;
  /** ISO date. Default: never. */
  readonly expiresAt?: string | undefined;
}

/** Validation of JWTs. Exactly one source of keys is given. */
export interface JwtConfig {
  readonly issuer: string;
  readonly audience: string;
  /**
   * Accepted signature algorithms, all of them with public keys. Default:
   * {@link defaultAlgorithms}.
   */
  readonly algorithms?: readonly string[] | undefined;
  /** Claim that contains the principal. Default "sub". */
  readonly principalClaim?: string | undefined;
  readonly jwksFile?: string | undefined;
  readonly jwksUrl?: string | undefined;
  /** PEM. */
  readonly publicKeyFile?: string | undefined;
}

/**
 * Permits principals to perform operations on topics and groups. What no rule permits is denied.
 */
export interface RuleConfig {
  /** Names, "*", or "anonymous". */
  readonly principals: readonly string[];
  /** Elements of {@link operations}, or "*". */
  readonly operations: readonly (Operation | "*")[];
  /** Names; prefixes such as "orders-*"; or "*". Default: none. */
  readonly topics?: readonly string[] | undefined;
  /** Like `topics`. */
  readonly groups?: readonly string[] | undefined;
}

/** Limits on the use by principals. A limit that is left out does not exist. */
export interface QuotaConfig {
  /** Names; "anonymous"; or "*" for every principal, including `anonymous`. */
  readonly principals: readonly string[];
  readonly produceBytesPerSecond?: number | undefined;
  readonly consumeBytesPerSecond?: number | undefined;
  /** Number of calls started per second; a stream is one call. */
  readonly requestsPerSecond?: number | undefined;
  readonly connections?: number | undefined;
}

/** No symmetric algorithms: whoever can verify such a token can also forge one. */
export const knownAlgorithms = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
export const defaultAlgorithms = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];

const names = listOf(nonEmptyString);

/** Accepts any string; a rule with a specific message checks the value afterwards. */
const text: OptionRule = (value) => (typeof value === "string" ? undefined : "a string");

const rate: OptionRule = (value) =>
  typeof value === "number" && value > 0 && value <= Number.MAX_SAFE_INTEGER
    ? undefined
    : "a number above zero (left out: no limit)";

/** Names and types of all parts of an {@link AccessConfig}. */
export const accessRule = nested<AccessConfig>({
  tokens: listOfNested<TokenConfig>({
    principal: required(nonEmptyString),
    sha256: required(text),
    expiresAt: nonEmptyString,
  }),
  jwt: nested<JwtConfig>({
    issuer: required(nonEmptyString), // an empty issuer would not be checked at all
    audience: required(nonEmptyString),
    algorithms: names,
    principalClaim: nonEmptyString,
    jwksFile: nonEmptyString,
    jwksUrl: nonEmptyString,
    publicKeyFile: nonEmptyString,
  }),
  certificates: nested({ principal: required(oneOf("commonName", "uri", "dns")) }),
  rules: required(
    listOfNested<RuleConfig>({
      principals: required(names),
      operations: required(listOf(text, { min: 0 })),
      topics: listOf(text, { min: 0 }),
      groups: listOf(text, { min: 0 }),
    }),
  ),
  quotas: listOfNested<QuotaConfig>({
    principals: required(names),
    produceBytesPerSecond: rate,
    consumeBytesPerSecond: rate,
    requestsPerSecond: rate,
    connections: rate,
  }),
});

/** @throws InvalidArgumentError that names the invalid part */
export function checkAccessConfig(config: AccessConfig): void {
  checkArgument("access control", "access", config, required(accessRule));
  const { tokens = [], jwt, rules } = config;
  for (const [i, { principal, sha256, expiresAt }] of tokens.entries()) {
    const at = `access.tokens[${i}]`;
    checkPrincipal(`${at}.principal`, principal);
    if (!/^[0-9a-f]{64}$/i.test(sha256)) {
      throw wrong(`${at}.sha256`, "64 hexadecimal digits: the SHA-256 of the token, not the token");
    }
    if (expiresAt !== undefined && Number.isNaN(Date.parse(expiresAt))) throw wrong(`${at}.expiresAt`, "an ISO date");
  }
  if (jwt) checkJwt(jwt);
  for (const [i, rule] of rules.entries()) checkRule(`access.rules[${i}]`, rule);
}

function checkRule(at: string, rule: RuleConfig): void {
  for (const operation of rule.operations) {
    if (operation === EVERY || operations.includes(operation)) continue;
    throw wrong(
      `${at}.operations`,
      `of ${operations.join(", ")} or "*", not ${shown(operation)}${suggestion(operation, operations)}`,
    );
  }
  for (const kind of ["topics", "groups"] as const) {
    for (const pattern of rule[kind] ?? []) {
      if (pattern !== "" && !pattern.slice(0, -1).includes("*")) continue;
      throw wrong(`${at}.${kind}`, `names, or beginnings of names with a "*" after them, not ${shown(pattern)}`);
    }
  }
}

function checkJwt({ algorithms = defaultAlgorithms, ...jwt }: JwtConfig): void {
  const { jwksFile, jwksUrl, publicKeyFile } = jwt;
  if ([jwksFile, jwksUrl, publicKeyFile].filter((place) => place !== undefined).length !== 1) {
    throw wrong("access.jwt", "with one of jwksFile, jwksUrl and publicKeyFile");
  }
  if (jwksUrl !== undefined && !URL.canParse(jwksUrl)) throw wrong("access.jwt.jwksUrl", "a URL");
  const unknown = algorithms.find((algorithm) => !knownAlgorithms.includes(algorithm));
  if (unknown !== undefined) throw wrong("access.jwt.algorithms", `some of ${knownAlgorithms.join(", ")}`);
}

function checkPrincipal(at: string, principal: string): void {
  if (!isPrincipal(principal)) throw wrong(at, `a name, and not "${principal}"`);
}

/** Whether a name is valid for a principal. The names with a special meaning are not. */
export function isPrincipal(name: unknown): name is string {
  return typeof name === "string" && name !== "" && name.length <= 1_000 && name !== ANONYMOUS && name !== EVERY;
}

function wrong(key: string, is: string): InvalidArgumentError {
  return new InvalidArgumentError(`${key} is ${is}`);
}
