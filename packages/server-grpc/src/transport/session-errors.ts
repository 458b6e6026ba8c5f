/**
 * Connections whose peers do not keep to HTTP/2, or send too much of it: Node ends them, and
 * grpc-js tells nobody.
 */
import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Connection } from "./connection.js";
import type { Endpoints } from "./listener.js";

/**
 * @param told once of each connection that is given up and was not refused before, with the reason
 * that Node has
 */
export function tellSessionErrors(
  server: Http2Server,
  connectionOf: (socket: Endpoints) => Connection | undefined,
  told: (peer: string, reason: string) => void,
): void {
  server.on("session", (session: ServerHttp2Session) => {
    const connection = connectionOf(session.socket); // whose ends are not known any more when there is an error
    session.once("error", ({ message }: Error) => {
      if (connection?.isRefused === false) told(connection.peer, `its HTTP/2 was given up: ${message}`);
    });
  });
}
