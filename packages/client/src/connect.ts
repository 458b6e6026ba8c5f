import { InvalidArgumentError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { LogClient } from "./client.js";
import type { ConnectOptions } from "./grpc/connect-options.js";
import { GrpcLogApi } from "./grpc/grpc-log-api.js";

/**
 * Makes a client of the server at `host:port` (default port 7411), or of a broker in this process.
 * It does not connect yet: the first call does, and fails with an UnavailableError where the server
 * cannot be reached. A broker stays open when the client is closed.
 *
 * @throws InvalidArgumentError for a malformed address, and for options that are unknown, wrong or
 * given with a broker; a token requires `tls`
 */
export function connect(target: string | LogApi): LogClient;
/**
 * Makes a client of the server at `host:port` with options.
 *
 * @throws InvalidArgumentError as above
 */
export function connect(address: string, options: ConnectOptions | undefined): LogClient;
export function connect(target: string | LogApi, options?: ConnectOptions): LogClient {
  if (typeof target === "object" && target !== null) {
    if (options === undefined || Object.keys(options).length === 0) return new LogClient(target, () => {});
    const names = Object.keys(options).join(", ");
    throw new InvalidArgumentError(`connect: a broker in this process takes no options: leave out ${names}`);
  }
  const api = new GrpcLogApi(target, options);
  return new LogClient(api, () => api.close());
}
