/**
 * How much a peer may send before it hears from us. HTTP/2 starts at 64 KiB, grpc-js has no option
 * for it on servers, and an upload would mostly wait. Node tells of every new HTTP/2 stream on a
 * diagnostics channel, and the stream leads to its connection. Where the channel does not exist
 * (older releases of Node) connections keep HTTP/2's window until they append.
 *
 * A connection that appends alone has a large window, which fills a long line. What a peer has sent
 * ahead is read from its socket in one turn of the event loop, up to 2 MiB of it: where several
 * connections append, each has a smaller window, so that these turns are short.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Http2Session, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { startTimer, type Timer } from "@logstore/codec";

const CHANNEL = "http2.server.stream.created";

export interface ReceiveWindowOptions {
  /** Of a connection, and of each of its streams. */
  readonly windowBytes: number;
  /** Of a stream on a connection that appends, while others append, too. */
  readonly sharedWindowBytes: number;
  /** How long a connection has to append alone before it has the large window again. */
  readonly aloneMs: number;
  /**
   * Whether a connection is one of this server's: other HTTP/2 servers of the process keep their
   * windows.
   */
  readonly isOurs: (session: ServerHttp2Session) => boolean;
}

export class ReceiveWindows {
  readonly #options: ReceiveWindowOptions;
  /** Connections that were seen, and the window of their streams. */
  readonly #windows = new WeakMap<Http2Session, number>();
  /** Connections that append, and how many calls do so on each. */
  readonly #appending = new Map<Http2Session, number>();
  #alone: Timer | undefined;

  constructor(options: ReceiveWindowOptions) {
    this.#options = options;
  }

  /** Connections are seen from here on. */
  begin(): void {
    subscribe(CHANNEL, this.#onStream);
  }

  /** A stream of appends was opened on a connection. What is returned is called when it is over. */
  appends(session: Http2Session): () => void {
    this.#appending.set(session, (this.#appending.get(session) ?? 0) + 1);
    this.#adapt();
    return () => {
      const calls = this.#appending.get(session)! - 1;
      if (calls > 0) this.#appending.set(session, calls);
      else this.#appending.delete(session);
      this.#adapt();
    };
  }

  close(): void {
    unsubscribe(CHANNEL, this.#onStream);
    this.#alone?.cancel();
  }

  readonly #onStream = (message: unknown) => {
    const session = (message as { stream: ServerHttp2Stream }).stream.session as ServerHttp2Session | undefined;
    if (!session || this.#windows.has(session) || !isOpen(session) || !this.#options.isOurs(session)) return;
    session.setLocalWindowSize(this.#options.windowBytes);
    this.#set(session, this.#options.windowBytes);
  };

  #adapt(): void {
    if (this.#appending.size > 1) {
      this.#alone?.cancel();
      this.#alone = undefined;
      this.#setAll(this.#options.sharedWindowBytes);
    } else if (this.#appending.size === 1) {
      this.#alone ??= startTimer(this.#options.aloneMs, () => this.#setAll(this.#options.windowBytes), {
        keepsAlive: false,
      });
    }
  }

  #setAll(windowBytes: number): void {
    for (const session of this.#appending.keys()) this.#set(session, windowBytes);
  }

  #set(session: Http2Session, windowBytes: number): void {
    if (this.#windows.get(session) === windowBytes || !isOpen(session)) return;
    session.settings({ initialWindowSize: windowBytes });
    this.#windows.set(session, windowBytes);
  }
}

function isOpen(session: Http2Session): boolean {
  return !session.destroyed && !session.closed;
}
