import type { ClientHttp2Session } from "node:http2";
import { type ChannelCredentials, Client } from "@grpc/grpc-js";
import { channelOptions } from "./channel-options.js";
import { watchSessions } from "./connection-sessions.js";
import { onlyGrpc } from "./only-grpc.js";
import { streamWindowBytes } from "./stream-window.js";

/**
 * Streams that a connection is given while nobody tells how many it may have: what HTTP/2
 * recommends as the least, and no common proxy has less.
 */
const UNTOLD_MAX_STREAMS = 100;

/** One gRPC channel, which is one HTTP/2 connection that is made again when it breaks. */
export class Connection {
  readonly client: Client;
  /** Long streams on it. */
  streams = 0;
  /** Whether a first call was made on it as it is now, which tells what the peer allows. */
  isKnown = false;
  readonly #unwatch: () => void;
  #session: ClientHttp2Session | undefined;
  #windowBytes = streamWindowBytes(1);
  #sessionWindowBytes = 0;

  /** @param agent a word that no other connection of this process has */
  constructor(address: string, isLoopback: boolean, credentials: ChannelCredentials, agent: string) {
    this.client = new Client(address, credentials, {
      ...channelOptions,
      "grpc.primary_user_agent": agent,
      // A proxy of the environment is for what is elsewhere.
      ...(isLoopback && { "grpc.enable_http_proxy": 0 }),
      interceptors: [onlyGrpc],
    });
    this.#unwatch = watchSessions(agent, (session) => this.#onSession(session));
  }

  /** Streams that the peer, a proxy perhaps, lets be open at once. */
  get maxStreams(): number {
    return this.#session?.remoteSettings?.maxConcurrentStreams ?? UNTOLD_MAX_STREAMS;
  }

  /** What the server may send ahead on each stream, from now on. */
  set windowBytes(bytes: number) {
    this.#windowBytes = bytes;
    const session = this.#session;
    if (session === undefined || session.destroyed || session.closed || this.#sessionWindowBytes === bytes) return;
    this.#sessionWindowBytes = bytes;
    session.settings({ initialWindowSize: bytes });
  }

  close(): void {
    this.#unwatch();
    this.client.close();
  }

  #onSession(session: ClientHttp2Session): void {
    if (this.#session === session) return;
    this.#session = session;
    this.#sessionWindowBytes = streamWindowBytes(1);
    this.windowBytes = this.#windowBytes;
    session.once("close", () => {
      if (this.#session !== session) return;
      this.#session = undefined;
      this.isKnown = false; // the next one may be to another peer
    });
  }
}
