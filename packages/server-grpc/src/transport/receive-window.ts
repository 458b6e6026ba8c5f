/**
 * How much a peer may send before it hears from us. HTTP/2 starts at 64 KiB, grpc-js has no option for it on servers, and an
 * upload would mostly wait. Node tells of every new HTTP/2 stream on a diagnostics channel, and the stream leads to its
 * connection. Where the channel does not exist (older releases of Node) nothing happens: uploads work, only slower.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Http2Session, ServerHttp2Session, ServerHttp2Stream } from "node:http2";

const CHANNEL = "http2.server.stream.created";

/**
 * Raises the windows of every connection that `isOurs`, when its first stream comes, to so many bytes: that of the connection
 * and that of each stream. Other HTTP/2 servers of the process keep theirs. Returns what ends it.
 */
export function raiseReceiveWindows(windowBytes: number, isOurs: (session: ServerHttp2Session) => boolean): () => void {
  const seen = new WeakSet<Http2Session>();
  const onStream = (message: unknown) => {
    const session = (message as { stream: ServerHttp2Stream }).stream.session as ServerHttp2Session | undefined;
    if (!session || seen.has(session)) return;
    seen.add(session);
    if (session.destroyed || session.closed || !isOurs(session)) return;
    session.setLocalWindowSize(windowBytes);
    session.settings({ initialWindowSize: windowBytes });
  };
  subscribe(CHANNEL, onStream);
  return () => void unsubscribe(CHANNEL, onStream);
}
