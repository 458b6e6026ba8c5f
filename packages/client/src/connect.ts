import { InvalidArgumentError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { LogClient } from "./client.js";
import { ClusterLog } from "./cluster/cluster-log.js";
import type { ConnectOptions } from "./grpc/connect-options.js";
import { GrpcLogApi } from "./grpc/grpc-log-api.js";

/**
 * Makes a client of the server at `host:port` (default port 7411), or of a broker in this process.
 * It does not connect yet: the first call does, and fails with an UnavailableError where the server
 * cannot be reached. A broker stays open when the client is closed.
 *
 * Several addresses are those of servers of one log, such as the brokers of a cluster. The client
 * uses the first one until it cannot be reached, then the next one, and after the last the first
 * again.
 *
 * ```ts
 * const client = connect(["broker-1:7411", "broker-2:7411"]);
 * ```
 *
 * @throws InvalidArgumentError for a malformed address, and for options that are unknown, wrong or
 * given with a broker; a token requires `tls`
 */
export function connect(target: string | readonly string[] | LogApi): LogClient;
/**
 * Makes a client of the server at `host:port`, or of several servers, with options.
 *
 * @throws InvalidArgumentError as above
 */
export function connect(addresses: string | readonly string[], options: ConnectOptions | undefined): LogClient;
export function connect(target: string | readonly string[] | LogApi, options?: ConnectOptions): LogClient {
  if (isBroker(target)) {
    if (options === undefined || Object.keys(options).length === 0) return new LogClient(target, () => {});
    const names = Object.keys(options).join(", ");
    throw new InvalidArgumentError(`connect: a broker in this process takes no options: leave out ${names}`);
  }
  const api = options?.ownerOnly ? new GrpcLogApi(target, options) : new ClusterLog(target, options);
  return new LogClient(api, () => api.close());
}

function isBroker(target: string | readonly string[] | LogApi): target is LogApi {
  return typeof target === "object" && target !== null && !Array.isArray(target);
}
