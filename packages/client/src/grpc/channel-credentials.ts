/** TLS and token of a client. */
import { readFileSync } from "node:fs";
import { type ChannelCredentials, credentials, Metadata, status } from "@grpc/grpc-js";
import { InvalidArgumentError } from "@logstore/codec";
import type { ConnectOptions, TlsOptions, Token } from "./connect-options.js";

/**
 * @throws InvalidArgumentError for a token without TLS, and for certificate files that cannot be
 * read or do not match
 */
export function channelCredentials({ tls, token }: Pick<ConnectOptions, "tls" | "token">): ChannelCredentials {
  if (!tls) {
    if (token === undefined) return credentials.createInsecure();
    throw new InvalidArgumentError("a token is sent only over TLS, so that nobody else can read it: set `tls`");
  }
  const channel = tlsCredentials(tls === true ? {} : tls);
  return token === undefined ? channel : credentials.combineChannelCredentials(channel, bearer(token));
}

function tlsCredentials(options: TlsOptions): ChannelCredentials {
  const ca = pem("ca", options.ca, options.caFile);
  const cert = pem("cert", options.cert, options.certFile);
  const key = pem("key", options.key, options.keyFile);
  try {
    return credentials.createSsl(ca, key, cert);
  } catch (cause) {
    throw new InvalidArgumentError(`tls: ${(cause as Error).message}`, {}, { cause });
  }
}

function pem(name: string, content: string | Uint8Array | undefined, file: string | undefined): Buffer | null {
  if (content !== undefined) return Buffer.from(content as string);
  if (file === undefined) return null;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new InvalidArgumentError(`tls.${name}File: ${(cause as Error).message}`, { file }, { cause });
  }
}

/** A token function that fails makes the call fail with the retriable UNAVAILABLE. */
function bearer(token: Token) {
  const bearing = async () => {
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${typeof token === "string" ? token : await token()}`);
    return metadata;
  };
  return credentials.createFromMetadataGenerator((_call, done) => {
    bearing().then(
      (metadata) => done(null, metadata),
      (cause) =>
        done(Object.assign(new Error(`the token function failed: ${cause}`, { cause }), { code: status.UNAVAILABLE })),
    );
  });
}
