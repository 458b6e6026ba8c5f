/**
 * Connections whose peers do not keep to HTTP/2, or send too much of it: Node ends them, and
 * grpc-js tells nobody.
 */
import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Connections } from "./connections.js";

/**
 * @param told called once for each connection that is given up and was not refused before, with the
 * reason that Node has
 */
export function tellSessionErrors(
  server: Http2Server,
  connections: Connections,
  told: (peer: string, reason: string) => void,
): void {
  server.on("session", (session: ServerHttp2Session) => {
    const connection = connections.of(session.socket); // an error comes when its ends are unknown already
    session.once("error", ({ message }: Error) => {
      if (connection?.isRefused === false) told(connection.peer, `its HTTP/2 was given up: ${message}`);
    });
  });
}
