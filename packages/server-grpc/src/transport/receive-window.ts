/**
 * How much a peer may send before it receives a window update. HTTP/2 starts with 64 KiB, grpc-js
 * has no server option for it, and an upload would mostly wait. Node reports every new HTTP/2
 * stream on a diagnostics channel, through which its connection is found. On releases of Node
 * without that channel, connections keep HTTP/2's window until they append.
 *
 * The only connection that appends has a large window, which fills a link with high latency. What a
 * peer has sent ahead is read from its socket in one turn of the event loop, up to 2 MiB: if
 * several connections append, each has a smaller window, so that these turns are short.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Http2Session, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { startTimer, type Timer } from "@logstore/codec";

const CHANNEL = "http2.server.stream.created";

export interface ReceiveWindowOptions {
  /** Window of a connection and of each of its streams. */
  readonly windowBytes: number;
  /** Window of a stream while several connections append. */
  readonly sharedWindowBytes: number;
  /**
   * How long a connection must be the only one that appends before it gets the large window again,
   * in ms.
   */
  readonly aloneMs: number;
  /**
   * Whether a connection belongs to this server: other HTTP/2 servers in the process keep their
   * windows.
   */
  readonly isOurs: (session: ServerHttp2Session) => boolean;
}

export class ReceiveWindows {
  readonly #options: ReceiveWindowOptions;
  /** Known connections, and the window of their streams. */
  readonly #windows = new WeakMap<Http2Session, number>();
  /** Connections that append, and the number of calls that do so on each. */
  readonly #appending = new Map<Http2Session, number>();
  #alone: Timer | undefined;

  constructor(options: ReceiveWindowOptions) {
    this.#options = options;
  }

  /** Starts to watch connections. */
  begin(): void {
    subscribe(CHANNEL, this.#onStream);
  }

  /** An append call has started on a connection. Returns a function to call when it ends. */
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
