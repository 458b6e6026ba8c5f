/**
 * Calls that come in one read of a socket begin a few in each turn of the event loop. grpc-js would
 * begin all of them at once, a thousand on each connection, and a call takes some tenths of a
 * millisecond to begin.
 */
import type { EventEmitter } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { callAll } from "@logstore/codec";

/**
 * Calls that begin in one turn. Fewer would have appends that come together written in several
 * groups.
 */
const STREAMS_A_TURN = 32;

/** To be called after the handlers of "stream" have been added. */
export function paceStreams(server: EventEmitter, streamsATurn = STREAMS_A_TURN): void {
  const handlers = server.listeners("stream") as ((stream: ServerHttp2Stream, ...args: unknown[]) => void)[];
  server.removeAllListeners("stream");
  let begun = 0;
  let waiting: (() => void)[] = [];
  const nextTurn = () => {
    begun = 0;
    const some = waiting.slice(0, streamsATurn);
    waiting = waiting.slice(streamsATurn);
    if (some.length > 0) setImmediate(nextTurn);
    begun = some.length;
    callAll(some);
  };
  server.on("stream", (stream: ServerHttp2Stream, ...args: unknown[]) => {
    const begin = () => {
      for (const handler of handlers) handler.call(server, stream, ...args);
    };
    if (begun === 0) setImmediate(nextTurn);
    if (begun++ < streamsATurn) {
      begin();
      return;
    }
    stream.on("error", () => {}); // until somebody else listens
    waiting.push(() => {
      if (stream.closed)
        stream.destroy(); // its peer has reset it meanwhile
      else begin();
    });
  });
}
