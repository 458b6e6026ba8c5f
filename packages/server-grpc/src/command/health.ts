/** `logstore-server health`: asks the server that a configuration describes whether it serves. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { type ChannelCredentials, Client, credentials, Metadata } from "@grpc/grpc-js";
import { loadProto } from "../services/load-proto.js";
import type { ServerConfig } from "./config-schema.js";

const TIMEOUT_MS = 5_000;

/**
 * "SERVING", "NOT_SERVING"; rejects where there is no answer, or no such service.
 *
 * @param token whose topics are asked for, where there is access control. It is shown over TLS
 * alone: no server takes it otherwise
 */
export async function askHealth(
  { listen, tls }: ServerConfig,
  service: string,
  token: string | undefined,
): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = loadProto().healthService["Check"]!;
  const shown = tls === undefined ? undefined : token;
  const client = new Client(`${reachable(listen.host)}:${listen.port}`, credentialsFor(tls, shown !== undefined), {
    "grpc.enable_http_proxy": 0,
    "grpc.ssl_target_name_override": "localhost", // an address is no name to ask for
  });
  const metadata = new Metadata();
  if (shown !== undefined) metadata.set("authorization", `Bearer ${shown}`);
  try {
    return await new Promise((resolve, reject) => {
      const deadline = Date.now() + TIMEOUT_MS;
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { service },
        metadata,
        { deadline },
        (error, response) => {
          if (error) reject(error);
          else resolve((response as { status: string }).status);
        },
      );
    });
  } finally {
    client.close();
  }
}

/** An address that listens everywhere is asked on this machine. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/**
 * The certificate need not name this machine's address, nor be vouched for by anybody whom this
 * machine knows: nothing is told to the server but the question. Where a token is told as well, it
 * is the configured certificate that the server must have. Where it wants a certificate of us, it
 * gets its own.
 */
function credentialsFor(tls: ServerConfig["tls"], isSecretTold: boolean): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { certFile, keyFile, clientCertificates = "none" } = tls;
  const own = clientCertificates === "none" ? {} : { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  // The first in the file alone: whoever vouches for it vouches for others, too.
  const believed = isSecretTold
    ? { ca: new X509Certificate(readFileSync(certFile)).toString(), allowPartialTrustChain: true }
    : {};
  const verify = { rejectUnauthorized: isSecretTold, checkServerIdentity: () => undefined };
  return credentials.createFromSecureContext(createSecureContext({ ...own, ...believed }), verify);
}
