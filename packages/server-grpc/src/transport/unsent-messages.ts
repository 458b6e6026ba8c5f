/**
 * Messages whose call ended before HTTP/2 had sent them completely. A closed stream adds nothing to
 * its connection's writes, but the write in progress may still read a message's memory. A ping is
 * sent after that write, so that its response, or the end of the connection, shows that the write
 * is over. Only then may the memory be freed and returned to the send budget.
 */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { callAll } from "@logstore/codec";
import type { Stalled, StalledStreams } from "./stalled-streams.js";

/**
 * How many stall timeouts the response to a ping may take: the peer has to read on to get to it.
 */
const PATIENCES = 3;

/** The connection of a session. */
export interface UnderlyingConnection {
  /** Calls `closed` when its socket is closed; synchronously if it is already. */
  onClose(closed: () => void): void;
  /** Closes it because its peer reads nothing. */
  refuse(): void;
}

/** Undefined if it is closed. */
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
   * Returns the unsent messages of the stream's connection. Called before anything is written,
   * because a closed stream no longer knows its connection.
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
  /** Called when the current ping is answered, and when the next one is. */
  #thisPing: (() => void)[] = [];
  #nextPing: (() => void)[] = [];
  #patiences = 0;
  #isClosed = false;

  constructor(session: ServerHttp2Session, connection: UnderlyingConnection, stalled: StalledStreams) {
    this.#session = session;
    this.#connection = connection;
    this.#stalled = stalled;
    // Not the session's own event: a destroyed session waits for the write in progress, however
    // long that takes.
    connection.onClose(() => setImmediate(() => this.#closed()));
  }

  /** Calls `release` once, as soon as HTTP/2 can no longer read what was written to `stream`. */
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

  /** The peer has not answered within the time allowed. */
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
      // A session that is closing sends no more pings: the end of the connection releases what is
      // left.
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
