/** Access control of a server under attack, and credentials of all kinds for it. */
import { createHash, randomBytes, type webcrypto } from "node:crypto";
import { type ChannelCredentials, credentials, Metadata } from "@grpc/grpc-js";
import type { ConnectOptions } from "@logstore/client";
import type { RuleConfig } from "@logstore/server-grpc";
import { exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { stringify } from "yaml";
import { CertificateAuthority, directoryWith, type KeyPair } from "../../../packages/server-grpc/test/certificates.ts";

export const claims = { iss: "https://issuer.example", aud: "logstore", sub: "worker" };

export const rules: readonly RuleConfig[] = [
  { principals: ["victim"], operations: ["createTopic", "produce", "consume"], topics: ["victim"] },
  { principals: ["owner"], operations: ["*"], topics: ["*"] },
  { principals: ["*"], operations: ["group", "consume"], topics: ["hoard*"], groups: ["hoard-*"] },
  { principals: ["stranger"], operations: ["*"], topics: ["stranger-*"] },
  { principals: ["worker"], operations: ["produce", "consume"], topics: ["shared"] },
  { principals: ["leaver"], operations: ["produce", "consume"], topics: ["shared"] },
];

/** Read quota of one principal. */
export const STRANGERS_BYTES_PER_SECOND = 1_000_000;
const quotas = [{ principals: ["stranger"], consumeBytesPerSecond: STRANGERS_BYTES_PER_SECOND }];

/** Without TLS no token is accepted, and the victim sends none. */
const rulesWithoutTls: readonly RuleConfig[] = [...rules, { ...rules[0]!, principals: ["anonymous"] }];

type Files = Awaited<ReturnType<typeof directoryWith>>;

export class Guard {
  readonly ca: CertificateAuthority;
  /** Public key of the JWT issuer, PEM. */
  readonly publicKey: string;
  readonly #privateKey: webcrypto.CryptoKey;
  readonly #tokens = new Map(
    ["victim", "owner", "stranger", "leaver"].map((principal) => [principal, randomBytes(32).toString("hex")]),
  );
  readonly #files: Files;

  private constructor(ca: CertificateAuthority, files: Files, publicKey: string, privateKey: webcrypto.CryptoKey) {
    this.ca = ca;
    this.#files = files;
    this.publicKey = publicKey;
    this.#privateKey = privateKey;
  }

  static async create({ tls: hasTls, settings }: { tls: boolean; settings?: object | undefined }): Promise<Guard> {
    const ca = await CertificateAuthority.create();
    const { cert, key } = await ca.issue(["server"]);
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const issuer = await exportSPKI(publicKey);
    const files = await directoryWith({ "cert.pem": cert, "key.pem": key, "ca.pem": ca.cert, "issuer.pem": issuer });
    const guard = new Guard(ca, files, issuer, privateKey);
    const tls = {
      certFile: "cert.pem",
      keyFile: "key.pem",
      clientCaFile: "ca.pem",
      clientCertificates: "optional",
    };
    await files.write("server.yaml", stringify({ accessFile: "access.yaml", ...(hasTls && { tls }), ...settings }));
    await guard.writeRules(hasTls ? rules : rulesWithoutTls);
    return guard;
  }

  get configFile(): string {
    return this.#files.path("server.yaml");
  }

  /** The server loads them when it is told to. */
  writeRules(rules: readonly RuleConfig[]): Promise<void> {
    const tokens = Array.from(this.#tokens, ([principal, token]) => ({ principal, sha256: hash(token) }));
    const expired = { principal: "owner", sha256: hash(expiredToken), expiresAt: "2020-01-01T00:00:00Z" };
    const { iss, aud } = claims;
    const jwt = { issuer: iss, audience: aud, publicKeyFile: this.#files.path("issuer.pem") };
    return this.#files.write("access.yaml", stringify({ tokens: [...tokens, expired], jwt, rules, quotas }));
  }

  token(principal: "victim" | "owner" | "stranger" | "leaver"): string {
    return this.#tokens.get(principal)!;
  }

  shown(principal: "victim" | "owner" | "stranger"): ConnectOptions {
    return { tls: { ca: this.ca.cert }, token: this.token(principal) };
  }

  /** A connection over TLS, with or without a certificate. */
  channel(pair?: KeyPair): ChannelCredentials {
    const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
    return credentials.createSsl(pem(this.ca.cert), pem(pair?.key), pem(pair?.cert));
  }

  /** A JWT signed by the issuer. */
  jwt(payload: JWTPayload): Promise<string> {
    return new SignJWT(payload).setProtectedHeader({ alg: "ES256" }).sign(this.#privateKey);
  }

  remove(): Promise<void> {
    return this.#files.remove();
  }
}

export function bearer(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return metadata;
}

/** A former token of the owner. */
export const expiredToken = randomBytes(32).toString("hex");

function hash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
