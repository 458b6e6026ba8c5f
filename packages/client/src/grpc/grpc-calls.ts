import type { Client, ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import { Metadata, status } from "@grpc/grpc-js";
import { ClosedError, type LogStoreError, sleep, UnavailableError } from "@logstore/codec";
import { OWNER_ONLY_HEADER, type ServerLimits } from "@logstore/protocol";
import { ConnectionWatch } from "../common/events.js";
import { hasCode, isRetriable, retryDelayMs } from "../common/retry.js";
import { parseAddresses } from "./address.js";
import { type CallPlace, OWNER_KEEPALIVE_MS, type UnaryOptions } from "./call-settings.js";
import { channelCredentials } from "./channel-credentials.js";
import type { ConnectOptions } from "./connect-options.js";
import { Connections } from "./connections.js";
import { fromServiceError, inLimit, isServerAway } from "./grpc-errors.js";
import { type Method, protocolDefinitions } from "./load-proto.js";
import { httpStatusOf } from "./only-grpc.js";
import { serverIn } from "./server-answer.js";
import { type Server, Servers } from "./servers.js";
import { unaryCall } from "./unary-call.js";

/** What a client of a cluster needs besides: see ../cluster. */
export interface CallsSettings {
  /** Uses the connections of these calls. Closing either closes both. */
  readonly shared?: GrpcCalls | undefined;
  /** Called when the server cannot be reached. */
  readonly onAway?: (() => void) | undefined;
}

/**
 * Calls to a server: opens connections, retries unary calls within their time limit, and turns
 * every failure into a LogStoreError. Of several addresses one is used until it cannot be reached.
 */
export class GrpcCalls {
  /** Limit of a unary call with its retries, ms. */
  readonly timeoutMs: number;
  /** The limits that the server reported last. */
  limits: ServerLimits = {};
  /** The headers of each call, apart from credentials. */
  readonly headers = new Metadata();
  readonly #usesTls: boolean;
  readonly #watch: ConnectionWatch;
  readonly #hasNewTokens: boolean;
  readonly #servers: Servers;
  /** The server of each failed call, by its error. */
  readonly #origins = new WeakMap<object, Server>();
  readonly #onAway: (() => void) | undefined;
  /** Calls are for one broker of a cluster: where it cannot be reached, another one is asked. */
  readonly #isForOneBroker: boolean;
  readonly #closing: AbortController;

  /** @throws InvalidArgumentError for a malformed address, and for credentials that do not fit */
  constructor(addresses: string | readonly string[], options: ConnectOptions, settings: CallsSettings = {}) {
    const { shared, onAway } = settings;
    this.#usesTls = Boolean(options.tls);
    if (options.ownerOnly) this.headers.set(OWNER_ONLY_HEADER, "1");
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.#hasNewTokens = typeof options.token === "function";
    this.#onAway = onAway;
    this.#isForOneBroker = options.ownerOnly === true && shared === undefined;
    this.#closing = shared === undefined ? new AbortController() : shared.#closing;
    this.#watch = shared === undefined ? new ConnectionWatch(options.onEvent) : shared.#watch;
    this.#servers = shared === undefined ? this.#serversAt(addresses, options) : shared.#servers;
  }

  #serversAt(addresses: string | readonly string[], options: ConnectOptions): Servers {
    const credentials = channelCredentials(options);
    const keepaliveMs = this.#isForOneBroker ? OWNER_KEEPALIVE_MS : undefined;
    return new Servers(parseAddresses(addresses), ({ target, isLoopback }, server) => {
      const greet = (client: Client) => this.#greet(client, server());
      return new Connections(target, isLoopback, credentials, greet, keepaliveMs);
    });
  }

  /**
   * Makes a call and retries it while its error is retriable and its time limit, `timeoutMs` and
   * `waitMs`, allows. Each attempt uses the server of its time.
   */
  async unary<Response>(method: Method, request: object, options: UnaryOptions = {}): Promise<Response> {
    const { waitMs = 0, signal } = options;
    const limitMs = this.timeoutMs + waitMs;
    const deadline = Date.now() + limitMs;
    let lastTrouble: LogStoreError | undefined;
    for (let attempt = 0; ; attempt++) {
      this.checkOpen();
      signal?.throwIfAborted();
      const begun = Date.now();
      try {
        return (await this.#attempt(method, request, deadline, options)) as Response;
      } catch (cause) {
        signal?.throwIfAborted();
        this.checkOpen();
        const isTimeout = (cause as Partial<ServiceError>).code === status.DEADLINE_EXCEEDED;
        const hadTime = deadline - begun >= limitMs / 2;
        const error = this.toError(cause, undefined, !isTimeout || hadTime);
        const delay = retryDelayMs(attempt, error);
        if (!isRetriable(error) || hasCode(error, "NOT_OWNER")) throw error; // another server owns it
        if (this.#isForOneBroker && isServerAway(cause)) throw error;
        // The last attempt may have had hardly any time, so that an earlier error says more than
        // its timeout.
        if (!isTimeout || lastTrouble === undefined) lastTrouble = error;
        if (isTimeout || Date.now() + delay >= deadline) throw inLimit(lastTrouble, limitMs);
        await sleep(delay, this.#closing.signal);
      }
    }
  }

  async #attempt(method: Method, request: object, deadline: number, { waitMs, signal }: UnaryOptions): Promise<object> {
    const place = waitMs ? await this.streamPlace() : undefined;
    const server = place?.server ?? this.#servers.forNextCall();
    const client = place?.client ?? server.connections.calls;
    try {
      const answer = await unaryCall(client, method, request, this.headers, deadline, [signal, this.#closing.signal]);
      this.succeeded(server);
      return answer;
    } catch (error) {
      this.#origins.set(Object(error), server);
      throw error;
    } finally {
      place?.release();
    }
  }

  /** Opens a bidirectional stream on the connection for short calls. */
  openStream<Request, Response>(
    { path, responseDeserialize }: Method,
    serialize: (request: Request) => Buffer,
  ): ClientDuplexStream<Request, Response> {
    const deserialize = responseDeserialize as (bytes: Buffer) => Response;
    const server = this.#servers.forNextCall();
    const { calls } = server.connections;
    const stream = calls.makeBidiStreamRequest<Request, Response>(path, serialize, deserialize, this.headers);
    this.#follow(stream, server);
    return stream;
  }

  /** Opens a bidirectional stream that stays open for long. It is cancelled on close. */
  async openLongStream<Request, Response>(method: Method): Promise<ClientDuplexStream<Request, Response>> {
    this.checkOpen();
    const place = await this.streamPlace();
    const { path, requestSerialize, responseDeserialize } = method;
    const opened = place.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, this.headers);
    const stream = opened as unknown as ClientDuplexStream<Request, Response>;
    const cancel = () => stream.cancel();
    this.#closing.signal.addEventListener("abort", cancel);
    this.#follow(stream, place.server);
    stream.on("status", () => {
      this.#closing.signal.removeEventListener("abort", cancel);
      place.release();
    });
    return stream;
  }

  /** Reserves room for a long stream on a connection. */
  async streamPlace(): Promise<CallPlace> {
    const server = this.#servers.forNextCall();
    const place = await server.connections.streamPlace().finally(() => this.checkOpen());
    return { ...place, server };
  }

  /** Reports that the server answered. */
  succeeded(server: Server): void {
    this.#watch.succeeded(server.target);
  }

  /**
   * Converts an error of a call. Where the server could not be reached, it reports that, and later
   * calls use the next address.
   *
   * @param server of the call. Default: known by the error, for calls that were made here
   * @param tellsOfServer false for a call that had too little time for an answer. Default true
   */
  toError(
    error: unknown,
    server: Server | undefined = this.#origins.get(Object(error)),
    tellsOfServer = true,
  ): LogStoreError {
    const address = server?.target ?? this.#servers.target;
    const known = fromServiceError(error, address, this.#usesTls);
    if (this.#closing.signal.aborted || !tellsOfServer) return known;
    if (known.code === "UNAVAILABLE" && known !== error) this.#watch.failed(known, address);
    if (server === undefined || !isServerAway(error)) return known;
    this.#servers.leave(server);
    this.#onAway?.();
    return known;
  }

  /**
   * Converts the error that ended a stream. A stream may outlive its token: where the next stream
   * brings a newer token, UNAUTHENTICATED becomes the retriable UNAVAILABLE.
   *
   * @param hadWorked whether the server had accepted the stream
   * @param server as for {@link toError}
   */
  toStreamError(cause: unknown, hadWorked: boolean, server?: Server): LogStoreError {
    const error = this.toError(cause, server);
    if (!hadWorked || !this.#hasNewTokens || !hasCode(error, "UNAUTHENTICATED")) return error;
    return new UnavailableError(error.message, {}, { cause: error });
  }

  /** Aborted when the calls are closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws ClosedError */
  checkOpen(): void {
    if (this.#closing.signal.aborted) throw this.closedError();
  }

  closedError(): ClosedError {
    return new ClosedError(`the client of ${this.#servers.target} is closed`);
  }

  /** Registers what is done when the calls are closed, before the connections are. */
  onClose(ending: () => void): void {
    this.#closing.signal.addEventListener("abort", ending);
  }

  /** Ends every call under way, and closes the connections. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#servers.close();
  }

  /** Makes the first call on a connection. A server of release 0.1.0 does not know this call. */
  async #greet(client: Client, server: Server): Promise<ServerLimits> {
    const method = protocolDefinitions().admin["DescribeServer"]!;
    try {
      const answer = await unaryCall(client, method, {}, this.headers, Date.now() + this.timeoutMs, [
        this.#closing.signal,
      ]);
      this.limits = serverIn(answer).limits;
    } catch (error) {
      this.checkOpen();
      const { code, details } = error as ServiceError;
      const isUnknownCall = code === status.UNIMPLEMENTED && httpStatusOf(details) === undefined;
      if (!isUnknownCall) throw this.toError(error, server);
    }
    return this.limits;
  }

  /** Notes what becomes of a stream: its first listener for errors. */
  #follow(stream: ClientDuplexStream<never, never> | NodeJS.EventEmitter, server: Server): void {
    stream.on("data", () => this.succeeded(server));
    stream.on("error", (error: object) => this.#origins.set(error, server));
  }
}
