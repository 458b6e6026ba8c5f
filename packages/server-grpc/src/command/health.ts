/** `logstore-server health`: asks the server that a configuration describes whether it serves. */
import { readFileSync } from "node:fs";
import { type ChannelCredentials, Client, credentials } from "@grpc/grpc-js";
import { loadProto } from "../services/load-proto.js";
import type { ServerConfig } from "./config-schema.js";

const TIMEOUT_MS = 5_000;

/** "SERVING", "NOT_SERVING"; rejects where there is no answer, or no such service. */
export async function askHealth({ listen, tls }: ServerConfig, service: string): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = loadProto().healthService["Check"]!;
  const client = new Client(`${reachable(listen.host)}:${listen.port}`, credentialsFor(tls), {
    "grpc.enable_http_proxy": 0,
    "grpc.ssl_target_name_override": "localhost", // an address is no name to ask for
  });
  try {
    return await new Promise((resolve, reject) => {
      const deadline = Date.now() + TIMEOUT_MS;
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { service },
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
 * The certificate need not name this machine's address, nor be vouched for by anybody whom this machine knows: nothing is told to
 * the server but the question. Where it wants a certificate of us, it gets its own.
 */
function credentialsFor(tls: ServerConfig["tls"]): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { certFile, keyFile, clientCertificates = "none" } = tls;
  const verify = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
  if (clientCertificates === "none") return credentials.createSsl(null, null, null, verify);
  return credentials.createSsl(null, readFileSync(keyFile), readFileSync(certFile), verify);
}
