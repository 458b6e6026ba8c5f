import type { Client, ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import type { MethodDefinition } from "@grpc/proto-loader";
import { ClosedError, type LogStoreError, sleep, UnavailableError } from "@logstore/codec";
import type { ServerLimits } from "@logstore/protocol";
import { ConnectionWatch } from "../common/events.js";
import { hasCode, isRetriable, retryDelayMs } from "../common/retry.js";
import { parseAddress } from "./address.js";
import { channelCredentials } from "./channel-credentials.js";
import type { ConnectOptions } from "./connect-options.js";
import { Connections, type StreamPlace } from "./connections.js";
import { fromServiceError } from "./grpc-errors.js";
import { protocolDefinitions } from "./load-proto.js";
import { httpStatusOf } from "./only-grpc.js";
import { serverIn } from "./server-answer.js";
import { unaryCall } from "./unary-call.js";

export type Method = MethodDefinition<object, object>;

/** Options of one unary call. */
export interface UnaryOptions {
  /** Time that the server may take in addition to `timeoutMs`, ms. Default 0. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: the connection for short calls. */
  readonly client?: Client | undefined;
}

/**
 * Calls to one server: opens connections, retries unary calls within their time limit, and turns
 * every failure into a LogStoreError.
 */
export class GrpcCalls {
  /** Limit of a unary call with its retries, ms. */
  readonly timeoutMs: number;
  /** The limits that the server reported last. */
  limits: ServerLimits = {};
  readonly #address: string;
  readonly #usesTls: boolean;
  readonly #watch: ConnectionWatch;
  readonly #hasNewTokens: boolean;
  readonly #connections: Connections;
  readonly #closing = new AbortController();

  /** @throws InvalidArgumentError for a malformed address, and for credentials that do not fit */
  constructor(address: string, options: ConnectOptions) {
    const { target, isLoopback } = parseAddress(address);
    this.#address = target;
    this.#usesTls = Boolean(options.tls);
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.#watch = new ConnectionWatch(target, options.onEvent);
    this.#hasNewTokens = typeof options.token === "function";
    this.#connections = new Connections(target, isLoopback, channelCredentials(options), (client) =>
      this.#greet(client),
    );
  }

  /**
   * Makes a call and retries it while its error is retriable and its time limit, `timeoutMs` and
   * `waitMs`, allows.
   */
  async unary<Response>(method: Method, request: object, options: UnaryOptions = {}): Promise<Response> {
    const { waitMs = 0, signal, client = this.#connections.calls } = options;
    const limitMs = this.timeoutMs + waitMs;
    const deadline = Date.now() + limitMs;
    let lastTrouble: LogStoreError | undefined;
    for (let attempt = 0; ; attempt++) {
      this.checkOpen();
      signal?.throwIfAborted();
      try {
        const answer = await unaryCall(client, method, request, deadline, [signal, this.#closing.signal]);
        this.succeeded();
        return answer as Response;
      } catch (cause) {
        signal?.throwIfAborted();
        this.checkOpen();
        const error = this.toError(cause);
        const delay = retryDelayMs(attempt, error);
        if (!isRetriable(error)) throw error;
        // The last attempt may have had hardly any time, so that an earlier error says more than
        // its timeout.
        const isTimeout = (cause as Partial<ServiceError>).code === status.DEADLINE_EXCEEDED;
        if (!isTimeout || lastTrouble === undefined) lastTrouble = error;
        if (isTimeout || Date.now() + delay >= deadline) throw inLimit(lastTrouble, limitMs);
        await sleep(delay, this.#closing.signal);
      }
    }
  }

  /** Opens a bidirectional stream on the connection for short calls. */
  openStream<Request, Response>(
    { path, responseDeserialize }: Method,
    serialize: (request: Request) => Buffer,
  ): ClientDuplexStream<Request, Response> {
    const deserialize = responseDeserialize as (bytes: Buffer) => Response;
    const stream = this.#connections.calls.makeBidiStreamRequest<Request, Response>(path, serialize, deserialize);
    stream.on("data", () => this.succeeded());
    return stream;
  }

  /** Opens a bidirectional stream that stays open for long. It is cancelled on close. */
  async openLongStream<Request, Response>(method: Method): Promise<ClientDuplexStream<Request, Response>> {
    this.checkOpen();
    const place = await this.streamPlace();
    const { path, requestSerialize, responseDeserialize } = method;
    const opened = place.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const stream = opened as unknown as ClientDuplexStream<Request, Response>;
    const cancel = () => stream.cancel();
    this.#closing.signal.addEventListener("abort", cancel);
    stream.on("data", () => this.succeeded());
    stream.on("status", () => {
      this.#closing.signal.removeEventListener("abort", cancel);
      place.release();
    });
    return stream;
  }

  /** Reserves room for a long stream on a connection. */
  async streamPlace(): Promise<StreamPlace> {
    const place = await this.#connections.streamPlace();
    if (!this.#closing.signal.aborted) return place;
    place.release();
    throw this.closedError();
  }

  /** Reports that the server answered. */
  succeeded(): void {
    this.#watch.succeeded();
  }

  /** Converts an error of a call, and reports it where the server could not be reached. */
  toError(error: unknown): LogStoreError {
    const known = fromServiceError(error, this.#address, this.#usesTls);
    if (known.code === "UNAVAILABLE" && known !== error && !this.#closing.signal.aborted) this.#watch.failed(known);
    return known;
  }

  /**
   * Converts the error that ended a stream. A stream may outlive its token: where the next stream
   * brings a newer token, UNAUTHENTICATED becomes the retriable UNAVAILABLE.
   *
   * @param hadWorked whether the server had accepted the stream
   */
  toStreamError(cause: unknown, hadWorked: boolean): LogStoreError {
    const error = this.toError(cause);
    if (!hadWorked || !this.#hasNewTokens || !hasCode(error, "UNAUTHENTICATED")) return error;
    return new UnavailableError(error.message, {}, { cause: error });
  }

  /** @throws ClosedError */
  checkOpen(): void {
    if (this.#closing.signal.aborted) throw this.closedError();
  }

  closedError(): ClosedError {
    return new ClosedError(`the client of ${this.#address} is closed`);
  }

  /** Ends every call under way, then closes the connections once `ending` has run. */
  close(ending: () => void): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    ending();
    this.#connections.close();
  }

  /** Makes the first call on a connection. A server of release 0.1.0 does not know this call. */
  async #greet(client: Client): Promise<ServerLimits> {
    const method = protocolDefinitions().admin["DescribeServer"] as Method;
    try {
      const answer = await unaryCall(client, method, {}, Date.now() + this.timeoutMs, [this.#closing.signal]);
      this.limits = serverIn(answer).limits;
    } catch (error) {
      this.checkOpen();
      const { code, details } = error as ServiceError;
      const isUnknownCall = code === status.UNIMPLEMENTED && httpStatusOf(details) === undefined;
      if (!isUnknownCall) throw this.toError(error);
    }
    return this.limits;
  }
}

/** The error of a call that was retried until its time limit. */
function inLimit(error: LogStoreError, limitMs: number): LogStoreError {
  if (error.code !== "UNAVAILABLE") return error;
  return new UnavailableError(`${error.message} (tried for ${limitMs} ms)`, error.fields, { cause: error.cause });
}
