import { InvalidArgumentError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { LogClient } from "./client.js";
import type { ConnectOptions } from "./grpc/connect-options.js";
import { GrpcLogApi } from "./grpc/grpc-log-api.js";

/**
 * Makes a client of the server at `host:port`, port 7411 by default, or of a broker in this
 * process, which stays open when the client is closed. Nothing is connected yet: the first call
 * connects, and fails with an UnavailableError where the server cannot be reached.
 *
 * @throws InvalidArgumentError for a malformed address, for options that are unknown or wrong, for
 * a token without `tls`, and for any options with a broker
 */
export function connect(target: string | LogApi): LogClient;
/**
 * Makes a client of the server at `host:port`, as above, with options.
 *
 * @throws InvalidArgumentError as above
 */
export function connect(address: string, options: ConnectOptions | undefined): LogClient;
export function connect(target: string | LogApi, options?: ConnectOptions): LogClient {
  if (typeof target === "object" && target !== null) {
    if (options === undefined || Object.keys(options).length === 0) return new LogClient(target, () => {});
    const names = Object.keys(options).join(", ");
    throw new InvalidArgumentError(`connect: a broker in this process takes no options, and ${names} would be ignored`);
  }
  const api = new GrpcLogApi(target, options);
  return new LogClient(api, () => api.close());
}
