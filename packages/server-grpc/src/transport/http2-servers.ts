import type { Http2Server } from "node:http2";
import type { Server } from "@grpc/grpc-js";

/**
 * The private name under which grpc-js keeps its HTTP/2 servers, for which there is no public API.
 */
interface WithHttp2Servers {
  readonly http2Servers?: ReadonlyMap<Http2Server, unknown>;
}

/**
 * Returns the HTTP/2 servers of a gRPC server. If a release of grpc-js keeps them under another
 * name, returns none and calls `onMissing`; the server then works without what needs them.
 */
export function http2ServersOf(grpc: Server, onMissing: () => void): readonly Http2Server[] {
  const { http2Servers } = grpc as unknown as WithHttp2Servers;
  if (!(http2Servers instanceof Map)) {
    onMissing();
    return [];
  }
  return [...http2Servers.keys()];
}
