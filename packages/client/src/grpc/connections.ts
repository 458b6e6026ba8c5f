import type { ChannelCredentials, Client } from "@grpc/grpc-js";
import { callAll, type LogStoreError, ResourceLimitExceededError, UnavailableError } from "@logstore/codec";
import { hasCode } from "../common/retry.js";
import { Connection } from "./connection.js";
import { streamWindowBytes } from "./stream-window.js";

/** A place for one long stream on a connection. */
export interface StreamPlace {
  readonly client: Client;
  /** The stream is over. Later calls change nothing. */
  release(): void;
}

/** How long a connection that was refused is not asked for again, ms. */
const REFUSED_MS = 10_000;

let count = 0;

/**
 * All connections to one server. Calls that end soon, and the stream of appends, go on the first
 * one. Long streams go there too, but to half of what the peer allows, so that short calls never
 * wait for them; then on as many further connections as they fill.
 */
export class Connections {
  readonly #open: (index: number) => Connection;
  readonly #greet: (client: Client) => Promise<{ readonly maxStreamsPerConnection?: number | undefined }>;
  readonly #all: Connection[];
  #maxStreams = Number.POSITIVE_INFINITY;
  #streams = 0;
  #growing: Promise<void> | undefined;
  /** Until when, monotonic ms, another connection is not tried, and why. */
  #refused: { readonly until: number; readonly error: unknown } | undefined;

  /**
   * @param greet makes a first call on a new connection, and resolves to what the server says of
   * its limits
   */
  constructor(
    address: string,
    isLoopback: boolean,
    credentials: ChannelCredentials,
    greet: (client: Client) => Promise<{ readonly maxStreamsPerConnection?: number | undefined }>,
  ) {
    const name = `logstore-client/${(++count).toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
    this.#open = (index) => new Connection(address, isLoopback, credentials, `${name}-${index}`);
    this.#greet = greet;
    this.#all = [this.#open(0)];
  }

  /** For calls that end soon, and the stream of appends. */
  get calls(): Client {
    return this.#all[0]!.client;
  }

  get count(): number {
    return this.#all.length;
  }

  /**
   * A place for a long stream, on a connection that is made where none has room.
   *
   * @throws ResourceLimitExceededError where the server lets this client have no further
   * connection; what the first call on it failed with
   */
  async streamPlace(): Promise<StreamPlace> {
    for (;;) {
      const unknown = this.#all.find((connection) => !connection.isKnown && connection.streams === 0);
      const roomy = this.#all.find((connection, i) => connection !== unknown && connection.streams < this.#roomOf(i));
      if (roomy !== undefined) return this.#take(roomy);
      this.#growing ??= this.#grow(unknown).finally(() => {
        this.#growing = undefined;
      });
      await this.#growing;
    }
  }

  close(): void {
    callAll(this.#all.map((connection) => () => connection.close()));
  }

  /** What long streams may take of a connection. */
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
   * Makes the first call on a connection, which tells its limits: on one that waits for it, else on
   * a new one.
   */
  async #grow(unknown: Connection | undefined): Promise<void> {
    if (unknown === undefined && this.#refused !== undefined) {
      if (performance.now() < this.#refused.until) throw this.#refused.error;
      this.#refused = undefined;
    }
    const connection = unknown ?? this.#open(this.#all.length);
    try {
      const { maxStreamsPerConnection = Number.POSITIVE_INFINITY } = await this.#greet(connection.client);
      this.#maxStreams = maxStreamsPerConnection;
    } catch (error) {
      if (unknown === undefined) connection.close();
      throw this.#refusalOf(error, unknown === undefined);
    }
    connection.isKnown = true;
    connection.windowBytes = streamWindowBytes(this.#streams);
    if (unknown === undefined) this.#all.push(connection);
    if (this.#roomOf(this.#all.indexOf(connection)) > 0 || connection === this.#all[0]) return;
    throw new UnavailableError("the peer lets no stream be open on a connection (SETTINGS_MAX_CONCURRENT_STREAMS)");
  }

  #refusalOf(error: unknown, isFurther: boolean): unknown {
    if (!isFurther || !hasCode(error, "QUOTA_EXCEEDED") || (error as LogStoreError).retryAfterMs) return error;
    const told = new ResourceLimitExceededError(
      `${this.#streams} streams are open on ${this.count} connections, and one more needs a further connection, which is ` +
        `refused: ${(error as Error).message}. Read fewer partitions with a client, or allow it more connections`,
      { expected: this.count, actual: this.count + 1 },
      { cause: error },
    );
    this.#refused = { until: performance.now() + REFUSED_MS, error: told };
    return told;
  }
}
