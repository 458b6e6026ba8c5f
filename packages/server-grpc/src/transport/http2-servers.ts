import type { Http2Server } from "node:http2";
import type { Server } from "@grpc/grpc-js";

/** The private name under which grpc-js keeps its HTTP/2 servers: it has no public way to them. */
interface WithHttp2Servers {
  readonly http2Servers?: ReadonlyMap<Http2Server, unknown>;
}

/**
 * The HTTP/2 servers of a gRPC server. A release of grpc-js that keeps them under another name
 * yields none; `onMissing` is then called, and the server works without what needs them.
 */
export function http2ServersOf(grpc: Server, onMissing: () => void): readonly Http2Server[] {
  const { http2Servers } = grpc as unknown as WithHttp2Servers;
  if (!(http2Servers instanceof Map)) {
    onMissing();
    return [];
  }
  return [...http2Servers.keys()];
}
