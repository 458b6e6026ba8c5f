/** `logstore-server health`: checks the health of the server that a configuration describes. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { type ChannelCredentials, Client, credentials, Metadata } from "@grpc/grpc-js";
import { loadProto } from "../services/load-proto.js";
import type { ServerConfig } from "./config-schema.js";

const TIMEOUT_MS = 5_000;

/**
 * Returns "SERVING" or "NOT_SERVING"; rejects if there is no response, or no such service.
 *
 * @param token for the health of a topic, if there is access control. It is sent over TLS only,
 * because no server accepts it otherwise
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
    "grpc.ssl_target_name_override": "localhost", // the address is not a valid server name
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

/** A server that listens on all addresses is reached on the loopback address. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/**
 * The certificate need not contain this machine's address or be trusted by it, because nothing
 * secret is sent. If a token is sent, however, the server must have the configured certificate. If
 * it requires a client certificate, it gets its own.
 */
function credentialsFor(tls: ServerConfig["tls"], isSecretTold: boolean): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { certFile, keyFile, clientCertificates = "none" } = tls;
  const own = clientCertificates === "none" ? {} : { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  // Only the first certificate of the file: its CA may have issued other certificates, too.
  const believed = isSecretTold
    ? { ca: new X509Certificate(readFileSync(certFile)).toString(), allowPartialTrustChain: true }
    : {};
  const verify = { rejectUnauthorized: isSecretTold, checkServerIdentity: () => undefined };
  return credentials.createFromSecureContext(createSecureContext({ ...own, ...believed }), verify);
}
