/** A server with TLS, and clients with any credentials, which are closed when the test ends. */
import { createHash } from "node:crypto";
import { type ChannelOptions, credentials, Metadata } from "@grpc/grpc-js";
import { onTestFinished } from "vitest";
import type { LogStoreServer, Refusal, RuleConfig, ServerTlsOptions, TokenConfig } from "../src/index.js";
import { CertificateAuthority, directoryWith, type KeyPair } from "./certificates.js";
import type { FakeLog } from "./fake-log.js";
import { ForeignClient } from "./foreign-client.js";
import { home } from "./home.js";

export interface TlsHome {
  readonly api: FakeLog;
  readonly server: LogStoreServer;
  readonly ca: CertificateAuthority;
  readonly files: Awaited<ReturnType<typeof directoryWith>>;
  /** All refusals so far. */
  readonly refusals: Refusal[];
  readonly warnings: string[];
  client(shown?: { token?: string; pair?: KeyPair; ca?: string }, options?: ChannelOptions): ForeignClient;
}

export type TlsHomeOptions = NonNullable<Parameters<typeof home>[0]> & {
  readonly clientCertificates?: ServerTlsOptions["clientCertificates"];
};

/** The topic is "t". Client certificates are issued by the server's own CA. */
export async function tlsHome({ clientCertificates, ...options }: TlsHomeOptions = {}): Promise<TlsHome> {
  const ca = await CertificateAuthority.create();
  const { cert, key } = await ca.issue(["server"]);
  const files = await directoryWith({ "cert.pem": cert, "key.pem": key, "ca.pem": ca.cert });
  onTestFinished(files.remove);
  const refusals: Refusal[] = [];
  const warnings: string[] = [];
  const { api, server } = await home({
    tls: {
      certFile: files.path("cert.pem"),
      keyFile: files.path("key.pem"),
      ...(clientCertificates && { clientCertificates, clientCaFile: files.path("ca.pem") }),
    },
    onRefused: (refusal) => refusals.push(refusal),
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  const client: TlsHome["client"] = ({ token, pair, ca: believed = ca.cert } = {}, channelOptions = {}) => {
    const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
    let channel = credentials.createSsl(pem(believed), pem(pair?.key), pem(pair?.cert));
    if (token !== undefined) channel = credentials.combineChannelCredentials(channel, bearer(token));
    const one = new ForeignClient(server.address, channelOptions, channel);
    onTestFinished(() => one.close());
    return one;
  };
  return { api, server, ca, files, refusals, warnings, client };
}

function bearer(token: string) {
  return credentials.createFromMetadataGenerator((_call, done) => {
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    done(null, metadata);
  });
}

export function sha256(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Tokens that equal the names of their principals. */
export function tokensOf(...principals: string[]): TokenConfig[] {
  return principals.map((principal) => ({ principal, sha256: sha256(principal) }));
}

export function allow(principal: string, operations: RuleConfig["operations"], ...topics: string[]): RuleConfig {
  return { principals: [principal], operations, topics };
}
