import type { LogApi } from "@logstore/protocol";
import { LogClient } from "./client.js";
import { GrpcLogApi, type GrpcOptions } from "./grpc/grpc-log-api.js";

export interface ConnectOptions extends GrpcOptions {}

/**
 * A client of the server at `host:port`, whose port is 7411 if it is left out, or of a broker in
 * this process, which stays open when the client is closed. Nothing is connected yet: the first
 * call that needs the server fails with UnavailableError where it is not there.
 *
 * @throws InvalidArgumentError for a malformed address, options that are unknown or wrong, or a
 * token without `tls`
 */
export function connect(target: string | LogApi, options: ConnectOptions = {}): LogClient {
  if (typeof target === "object" && target !== null) return new LogClient(target, () => {});
  const api = new GrpcLogApi(target, options);
  return new LogClient(api, () => api.close());
}
