/**
 * Finds the HTTP/2 session of a connection. gRPC does not expose it, and silently delays calls
 * beyond the peer's stream limit. Node reports every new stream on a diagnostics channel (Node
 * 22.17, 24 and newer); the stream leads to its session, and its user agent identifies the
 * connection.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";

const CHANNEL = "http2.client.stream.created";

type OnSession = (session: ClientHttp2Session) => void;

const watched = new Map<string, OnSession>();

/**
 * Calls `onSession` with the session of each stream whose user agent begins with the word `agent`.
 * Returns a function that ends this.
 */
export function watchSessions(agent: string, onSession: OnSession): () => void {
  if (watched.size === 0) subscribe(CHANNEL, onStream);
  watched.set(agent, onSession);
  return () => {
    if (watched.delete(agent) && watched.size === 0) unsubscribe(CHANNEL, onStream);
  };
}

function onStream(message: unknown): void {
  const { stream, headers } = message as { stream: ClientHttp2Stream; headers?: Record<string, unknown> };
  const userAgent = headers?.["user-agent"];
  if (typeof userAgent !== "string" || !stream.session) return;
  const [agent = ""] = userAgent.split(" ", 1);
  watched.get(agent)?.(stream.session as ClientHttp2Session);
}
