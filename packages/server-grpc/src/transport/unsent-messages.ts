/**
 * Messages whose call ended before HTTP/2 had sent them whole. A closed stream puts nothing more
 * into its connection's writes, but the write that is under way may still read a message's memory.
 * A ping goes out behind that write, so its answer says that the write is over; the end of the
 * connection says so, too. Only then may the memory be freed and its part of the send budget be
 * given back.
 */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { callAll } from "@logstore/codec";
import type { Stalled, StalledStreams } from "./stalled-streams.js";

/**
 * How often the patience with a stalled stream may run out before the answer to a ping: the peer
 * has to read on to get to it.
 */
const PATIENCES = 3;

/** A session's connection. */
export interface UnderlyingConnection {
  /** Calls `closed` when its socket is closed, at once where it is already. */
  onClose(closed: () => void): void;
  /** Ends it because its peer takes nothing. */
  refuse(): void;
}

/** Undefined where it is closed already. */
export type ConnectionOf = (session: ServerHttp2Session) => UnderlyingConnection | undefined;

export class UnsentMessages {
  readonly #stalled: StalledStreams;
  readonly #connectionOf: ConnectionOf;
  readonly #ofSession = new WeakMap<ServerHttp2Session, UnsentOfConnection>();

  constructor(stalled: StalledStreams, connectionOf: ConnectionOf) {
    this.#stalled = stalled;
    this.#connectionOf = connectionOf;
  }

  /**
   * Those of the stream's connection: asked for before anything is written, since a closed stream
   * forgets its connection.
   */
  of({ session }: { readonly session?: ServerHttp2Stream["session"] }): UnsentOfConnection | undefined {
    if (session === undefined || session.destroyed) return undefined;
    const serverSession = session as ServerHttp2Session;
    let unsent = this.#ofSession.get(serverSession);
    if (unsent === undefined) {
      const connection = this.#connectionOf(serverSession);
      if (connection === undefined) return undefined;
      unsent = new UnsentOfConnection(serverSession, connection, this.#stalled);
      this.#ofSession.set(serverSession, unsent);
    }
    return unsent;
  }
}

export class UnsentOfConnection implements Stalled {
  readonly #session: ServerHttp2Session;
  readonly #connection: UnderlyingConnection;
  readonly #stalled: StalledStreams;
  /** To be called when the ping under way is answered, and when the one after it is. */
  #thisPing: (() => void)[] = [];
  #nextPing: (() => void)[] = [];
  #patiences = 0;
  #isClosed = false;

  constructor(session: ServerHttp2Session, connection: UnderlyingConnection, stalled: StalledStreams) {
    this.#session = session;
    this.#connection = connection;
    this.#stalled = stalled;
    // Not the session's own event: a session that is destroyed waits for the write under way,
    // however long that takes.
    connection.onClose(() => setImmediate(() => this.#closed()));
  }

  /** Calls `release` once, as soon as HTTP/2 cannot read any more what was written to `stream`. */
  keep(stream: ServerHttp2Stream, release: () => void): void {
    const streamClosed = () => {
      if (stream.writableFinished || this.#isClosed) {
        release();
        return;
      }
      this.#nextPing.push(release);
      if (this.#thisPing.length === 0) this.#ping();
    };
    if (stream.destroyed) streamClosed();
    else stream.once("close", streamClosed);
  }

  /** The peer has not answered for as long as the patience with a stream lasts. */
  cutOff(): void {
    this.#patiences++;
    if (this.#patiences < PATIENCES) this.#stalled.begin(this);
    else this.#connection.refuse();
  }

  #ping(): void {
    this.#thisPing = this.#nextPing;
    this.#nextPing = [];
    this.#patiences = 0;
    this.#stalled.begin(this);
    if (this.#session.destroyed) return;
    this.#session.ping((error: Error | null) => {
      // A session that is closing sends no more pings: the connection's end releases what is left.
      if (error !== null || this.#isClosed) return;
      this.#stalled.end(this);
      const released = this.#thisPing.splice(0);
      if (this.#nextPing.length > 0) this.#ping();
      callAll(released);
    });
  }

  #closed(): void {
    this.#isClosed = true;
    this.#stalled.end(this);
    callAll([...this.#thisPing.splice(0), ...this.#nextPing.splice(0)]);
  }
}
