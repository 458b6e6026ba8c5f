import type { ChannelCredentials, Client } from "@grpc/grpc-js";
import { callAll, type LogStoreError, ResourceLimitExceededError, UnavailableError } from "@logstore/codec";
import { hasCode } from "../common/retry.js";
import { Connection } from "./connection.js";
import { streamWindowBytes } from "./stream-window.js";

/** Reserved room for one long stream on a connection. */
export interface StreamPlace {
  readonly client: Client;
  /** Frees the room. Further calls have no effect. */
  release(): void;
}

/** Time after a refused connection during which no further one is opened, ms. */
const REFUSED_MS = 10_000;

let count = 0;

/**
 * All connections to one server. Short calls and the stream of appends use the first one. Long
 * streams use it too, but only half of the streams that the peer allows, so that short calls never
 * wait for them. Further connections are opened as they are needed.
 */
export class Connections {
  readonly #open: (index: number) => Connection;
  readonly #greet: (client: Client) => Promise<{ readonly maxStreamsPerConnection?: number | undefined }>;
  readonly #all: Connection[];
  #maxStreams = Number.POSITIVE_INFINITY;
  #streams = 0;
  #growing: Promise<void> | undefined;
  #isClosed = false;
  /** Until when, in monotonic ms, no further connection is opened, and the error. */
  #refused: { readonly until: number; readonly error: unknown } | undefined;

  /**
   * @param greet makes the first call on a new connection, and resolves to the server's limits
   * @param keepaliveMs time after which a silent connection is tested, ms. Default 30,000
   */
  constructor(
    address: string,
    isLoopback: boolean,
    credentials: ChannelCredentials,
    greet: (client: Client) => Promise<{ readonly maxStreamsPerConnection?: number | undefined }>,
    keepaliveMs?: number,
  ) {
    const name = `logstore-client/${(++count).toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
    this.#open = (index) => new Connection(address, isLoopback, credentials, `${name}-${index}`, keepaliveMs);
    this.#greet = greet;
    this.#all = [this.#open(0)];
  }

  /** The connection for short calls and the stream of appends. */
  get calls(): Client {
    return this.#all[0]!.client;
  }

  get count(): number {
    return this.#all.length;
  }

  /**
   * Reserves room for a long stream, and opens another connection if none has room.
   *
   * @throws ResourceLimitExceededError where the server refuses another connection of this client;
   * UnavailableError where the connections were closed; the error of the first call on a connection
   */
  async streamPlace(): Promise<StreamPlace> {
    for (;;) {
      this.#checkOpen();
      const unknown = this.#all.find((connection) => !connection.isKnown && connection.streams === 0);
      const roomy = this.#all.find((connection, i) => connection !== unknown && connection.streams < this.#roomOf(i));
      if (roomy !== undefined) return this.#take(roomy);
      this.#growing ??= this.#grow(unknown).finally(() => {
        this.#growing = undefined;
      });
      await this.#growing;
    }
  }

  /** Opens no further connection. A client closes the connections to a server that it leaves. */
  close(): void {
    this.#isClosed = true;
    callAll(this.#all.map((connection) => () => connection.close()));
  }

  /** Number of long streams that a connection may have. */
  #roomOf(index: number): number {
    const most = Math.min(this.#all[index]!.maxStreams, this.#maxStreams);
    return index === 0 ? Math.floor(most / 2) : most;
  }

  #take(connection: Connection): StreamPlace {
    connection.streams++;
    this.#streamsChanged(1);
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      connection.streams--;
      this.#streamsChanged(-1);
    };
    return { client: connection.client, release };
  }

  #streamsChanged(by: number): void {
    const before = streamWindowBytes(this.#streams);
    this.#streams += by;
    const windowBytes = streamWindowBytes(this.#streams);
    if (windowBytes === before) return;
    for (const connection of this.#all) connection.windowBytes = windowBytes;
  }

  /**
   * Makes the first call on a connection, which reports the server's limits: on an existing one
   * whose limits are unknown, or else on a new one.
   */
  async #grow(unknown: Connection | undefined): Promise<void> {
    if (unknown === undefined && this.#refused !== undefined) {
      if (performance.now() < this.#refused.until) throw this.#refused.error;
      this.#refused = undefined;
    }
    const connection = unknown ?? this.#open(this.#all.length);
    try {
      const { maxStreamsPerConnection = Number.POSITIVE_INFINITY } = await this.#greet(connection.client);
      this.#checkOpen();
      this.#maxStreams = maxStreamsPerConnection;
    } catch (error) {
      if (unknown === undefined) connection.close();
      throw this.#refusalOf(error, unknown === undefined);
    }
    connection.isKnown = true;
    connection.windowBytes = streamWindowBytes(this.#streams);
    if (unknown === undefined) this.#all.push(connection);
    if (this.#roomOf(this.#all.indexOf(connection)) > 0 || connection === this.#all[0]) return;
    throw new UnavailableError("the peer allows no streams on a connection (SETTINGS_MAX_CONCURRENT_STREAMS is 0)");
  }

  /** The error is retriable: the next call uses the client's next address. */
  #checkOpen(): void {
    if (this.#isClosed) throw new UnavailableError("the connections to this server are closed");
  }

  #refusalOf(error: unknown, isFurther: boolean): unknown {
    if (!isFurther || !hasCode(error, "QUOTA_EXCEEDED") || (error as LogStoreError).retryAfterMs) return error;
    const told = new ResourceLimitExceededError(
      `${this.#streams} streams are open on ${this.count} connections; one more stream requires another connection, which ` +
        `the server refuses: ${(error as Error).message}. Read fewer partitions with one client, or raise its connection quota`,
      { expected: this.count, actual: this.count + 1 },
      { cause: error },
    );
    this.#refused = { until: performance.now() + REFUSED_MS, error: told };
    return told;
  }
}
