/**
 * Who may do what, as it is written down: plain data, the same in a program and in a configuration
 * file.
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

/** The principal of a caller who shows no credentials. */
export const ANONYMOUS = "anonymous";
/** In a rule: every principal but `anonymous`, every operation, every name. */
export const EVERY = "*";

/** Who may do what: tokens, certificates, rules and quotas. */
export interface AccessConfig {
  /** Tokens that a caller may show, known here by their hash only. */
  readonly tokens?: readonly TokenConfig[] | undefined;
  /** Tokens that somebody else issues. */
  readonly jwt?: JwtConfig | undefined;
  /** What of a client's certificate is its principal. Default: `commonName`. */
  readonly certificates?: { readonly principal: CertificateName } | undefined;
  /** What is allowed. Everything else is not. */
  readonly rules: readonly RuleConfig[];
  /**
   * How much is allowed. Of several that name a principal, the first holds. Its limits are for each
   * principal by itself, and of `anonymous` for each address by itself.
   */
  readonly quotas?: readonly QuotaConfig[] | undefined;
}

/** Which name of a certificate is its principal. */
export type CertificateName = "commonName" | "uri" | "dns";

/** A bearer token, and the principal that shows it. */
export interface TokenConfig {
  readonly principal: string;
  /**
   * SHA-256 of the token, as hex. The token itself is 32 random bytes, say: a hash hides nothing
   * that can be guessed.
   */
  readonly sha256: string;
  /** ISO date. Default: never. */
  readonly expiresAt?: string | undefined;
}

/** The keys are in one of the three places. */
export interface JwtConfig {
  readonly issuer: string;
  readonly audience: string;
  /**
   * Signatures that are believed, all of them with public keys. Default: {@link defaultAlgorithms}.
   */
  readonly algorithms?: readonly string[] | undefined;
  /** Claim that names the principal. Default "sub". */
  readonly principalClaim?: string | undefined;
  readonly jwksFile?: string | undefined;
  readonly jwksUrl?: string | undefined;
  /** PEM. */
  readonly publicKeyFile?: string | undefined;
}

/** Permits principals to do operations on topics and groups. What no rule permits is refused. */
export interface RuleConfig {
  /** Names, "*", or "anonymous". */
  readonly principals: readonly string[];
  /** Of {@link operations}, or "*". */
  readonly operations: readonly (Operation | "*")[];
  /** Names; "orders-*" for those that begin so; "*". Default: none. */
  readonly topics?: readonly string[] | undefined;
  /** As topics. */
  readonly groups?: readonly string[] | undefined;
}

/** How much principals may use. What is left out is not limited. */
export interface QuotaConfig {
  /** Names; "anonymous"; "*": every principal, `anonymous` too. */
  readonly principals: readonly string[];
  readonly produceBytesPerSecond?: number | undefined;
  readonly consumeBytesPerSecond?: number | undefined;
  /** Calls begun; a stream is one call. */
  readonly requestsPerSecond?: number | undefined;
  readonly connections?: number | undefined;
}

/** No symmetric ones: whoever could check those could forge them. */
export const knownAlgorithms = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
export const defaultAlgorithms = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];

const names = listOf(nonEmptyString);

/** A value that a rule with a message of its own checks afterwards. */
const text: OptionRule = (value) => (typeof value === "string" ? undefined : "a string");

const rate: OptionRule = (value) =>
  typeof value === "number" && value > 0 && value <= Number.MAX_SAFE_INTEGER
    ? undefined
    : "a number above zero (left out: no limit)";

/** The names and types of all that an {@link AccessConfig} consists of. */
export const accessRule = nested<AccessConfig>({
  tokens: listOfNested<TokenConfig>({
    principal: required(nonEmptyString),
    sha256: required(text),
    expiresAt: nonEmptyString,
  }),
  jwt: nested<JwtConfig>({
    issuer: required(nonEmptyString), // an empty one would not be checked at all
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

/** @throws InvalidArgumentError that names what makes no sense */
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

/** Whether somebody may be called so: the names with a meaning of their own are nobody's. */
export function isPrincipal(name: unknown): name is string {
  return typeof name === "string" && name !== "" && name.length <= 1_000 && name !== ANONYMOUS && name !== EVERY;
}

function wrong(key: string, is: string): InvalidArgumentError {
  return new InvalidArgumentError(`${key} is ${is}`);
}
