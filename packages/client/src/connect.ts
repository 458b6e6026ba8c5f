import type { LogApi } from "@logstore/protocol";
import { LogClient } from "./client.js";
import type { CredentialOptions } from "./grpc/channel-credentials.js";
import { GrpcLogApi } from "./grpc/grpc-log-api.js";

export interface ConnectOptions extends CredentialOptions {
  /** ms within which a server must answer a call that is not a stream, tries to reach it included. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A client of the server at `host:port`, or of a broker in this process, which stays open when the client is closed. Nothing
 * is connected yet: the first call that needs the server fails with UnavailableError where it is not there.
 *
 * @throws InvalidArgumentError for credentials that make no sense, or a token without `tls`
 */
export function connect(target: string | LogApi, options: ConnectOptions = {}): LogClient {
  if (typeof target !== "string") return new LogClient(target, () => {});
  const api = new GrpcLogApi(target, options);
  return new LogClient(api, () => api.close());
}
