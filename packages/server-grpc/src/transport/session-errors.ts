/**
 * Reports connections whose peers violate HTTP/2 or its limits: Node closes them, and grpc-js does
 * not report it.
 */
import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Connections } from "./connections.js";

/**
 * @param told called once for each connection that is closed and was not refused before, with
 * Node's reason
 */
export function tellSessionErrors(
  server: Http2Server,
  connections: Connections,
  told: (peer: string, reason: string) => void,
): void {
  server.on("session", (session: ServerHttp2Session) => {
    const connection = connections.of(session.socket); // on an error the session's endpoints are unknown already
    session.once("error", ({ message }: Error) => {
      if (connection?.isRefused === false) told(connection.peer, `its HTTP/2 session failed: ${message}`);
    });
  });
}
