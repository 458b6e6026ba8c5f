/**
 * Calls that arrive in one read of a socket start a few per turn of the event loop. grpc-js would
 * start all of them at once, a thousand per connection, and each start takes some tenths of a
 * millisecond.
 */
import type { EventEmitter } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { callAll } from "@logstore/codec";

/**
 * Number of calls that start per turn. With fewer, appends that arrive together would be written in
 * several groups.
 */
const STREAMS_A_TURN = 32;
/** Fewer calls start in a turn if they take this long, as in a server that has just started. */
const TURN_MS = 5;

/** Called after the handlers of "stream" have been added. */
export function paceStreams(server: EventEmitter, streamsATurn = STREAMS_A_TURN): void {
  const handlers = server.listeners("stream") as ((stream: ServerHttp2Stream, ...args: unknown[]) => void)[];
  server.removeAllListeners("stream");
  const waiting = new WaitingStreams();
  let begun = 0;
  let turnBegan = 0;
  const mayBegin = () => begun === 0 || (begun < streamsATurn && performance.now() - turnBegan < TURN_MS);
  const inThisTurn = function* () {
    for (; !waiting.isEmpty && mayBegin(); begun++) yield waiting.take();
  };
  const nextTurn = () => {
    begun = 0;
    turnBegan = performance.now();
    try {
      callAll(inThisTurn());
    } finally {
      if (begun > 0) setImmediate(nextTurn);
    }
  };
  server.on("stream", (stream: ServerHttp2Stream, ...args: unknown[]) => {
    const begin = () => {
      for (const handler of handlers) handler.call(server, stream, ...args);
    };
    if (begun === 0) {
      turnBegan = performance.now();
      setImmediate(nextTurn);
    }
    if (waiting.isEmpty && mayBegin()) {
      begun++;
      begin();
      return;
    }
    stream.on("error", () => {}); // until there is another listener
    waiting.add(stream.session, () => {
      if (stream.closed)
        stream.destroy(); // its peer has reset it in the meantime
      else begin();
    });
  });
}

/** Connections take turns: a call does not wait for the thousand that another peer has made. */
class WaitingStreams {
  /** By connection, the one whose turn is next first. */
  readonly #queues = new Map<unknown, (() => void)[]>();

  get isEmpty(): boolean {
    return this.#queues.size === 0;
  }

  add(connection: unknown, begin: () => void): void {
    const queue = this.#queues.get(connection);
    if (queue === undefined) this.#queues.set(connection, [begin]);
    else queue.push(begin);
  }

  take(): () => void {
    const [connection, queue] = this.#queues.entries().next().value!;
    const begin = queue.shift()!;
    this.#queues.delete(connection);
    if (queue.length > 0) this.#queues.set(connection, queue); // behind the others
    return begin;
  }
}
