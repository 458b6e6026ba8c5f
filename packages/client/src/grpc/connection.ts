import type { ClientHttp2Session } from "node:http2";
import { type ChannelCredentials, Client } from "@grpc/grpc-js";
import { channelOptions, keepaliveOptions } from "./channel-options.js";
import { watchSessions } from "./connection-sessions.js";
import { onlyGrpc } from "./only-grpc.js";
import { streamWindowBytes } from "./stream-window.js";

/**
 * Streams per connection until the peer's limit is known: the minimum that HTTP/2 recommends, which
 * no common proxy undercuts.
 */
const UNTOLD_MAX_STREAMS = 100;

/** One gRPC channel: an HTTP/2 connection that is reopened when it breaks. */
export class Connection {
  readonly client: Client;
  /** Number of long streams on this connection. */
  streams = 0;
  /** Whether a call was made on the current HTTP/2 session, so that the peer's limits are known. */
  isKnown = false;
  readonly #unwatch: () => void;
  #session: ClientHttp2Session | undefined;
  #windowBytes = streamWindowBytes(1);
  #sessionWindowBytes = 0;

  /** @param agent a word that is unique within the process */
  constructor(
    address: string,
    isLoopback: boolean,
    credentials: ChannelCredentials,
    agent: string,
    keepaliveMs?: number,
  ) {
    this.client = new Client(address, credentials, {
      ...channelOptions,
      ...(keepaliveMs !== undefined && keepaliveOptions(keepaliveMs)),
      "grpc.primary_user_agent": agent,
      // Proxies from environment variables are only for other machines.
      ...(isLoopback && { "grpc.enable_http_proxy": 0 }),
      interceptors: [onlyGrpc],
    });
    this.#unwatch = watchSessions(agent, (session) => this.#onSession(session));
  }

  /** Number of concurrent streams that the peer, which may be a proxy, allows. */
  get maxStreams(): number {
    return this.#session?.remoteSettings?.maxConcurrentStreams ?? UNTOLD_MAX_STREAMS;
  }

  /** Bytes that the server may send on each stream before they are read. */
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
      this.isKnown = false; // the next session may be with another peer
    });
  }
}
