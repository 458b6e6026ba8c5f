import {
  type Client,
  type ClientReadableStream,
  InterceptingCall,
  type Interceptor,
  type Metadata,
} from "@grpc/grpc-js";
import { startTimer, type Timer, UnavailableError } from "@logstore/codec";
import { type ConsumeEvent, type ConsumeRequest, decodeConsumeResponse, positionToMessage } from "@logstore/protocol";
import { receiveMessagesInPlace } from "./http2-stream-of.js";
import type { Method } from "./load-proto.js";
import { onlyGrpc } from "./only-grpc.js";

export interface ConsumeCallOptions {
  readonly headers: Metadata;
  /**
   * Each of them cancels the call, and ends the iteration without an error, also without one that
   * came before.
   */
  readonly signals: readonly (AbortSignal | undefined)[];
  /**
   * Time limit for the beginning of the response, ms; a call that a stream limit holds back fails
   * then.
   */
  readonly acceptTimeoutMs: number;
}

type Result = IteratorResult<ConsumeEvent, undefined>;

const DONE: Result = { done: true, value: undefined };

/**
 * The events of one Consume call. Each is received only when it is requested, by one call of `next`
 * at a time: HTTP/2's flow control otherwise stops the server after one window. Leaving the
 * iteration cancels the call. This is no generator, and does not iterate over the call's stream,
 * because each would cost an event several promises.
 */
export class ConsumeCall implements AsyncIterableIterator<ConsumeEvent, undefined> {
  readonly #call: ClientReadableStream<ConsumeEvent | undefined>;
  readonly #options: ConsumeCallOptions;
  readonly #accepted: Timer;
  #gate!: PulledCall;
  #isLate = false;
  /** The event that was requested and has not come. */
  #wanted: PromiseWithResolvers<Result> | undefined;
  #hasEnded = false;
  #failure: Error | undefined;

  constructor(client: Client, method: Method, request: ConsumeRequest, options: ConsumeCallOptions) {
    this.#options = options;
    const pulled: Interceptor = (settings, next) => (this.#gate = new PulledCall(next(settings)));
    const interceptors = [pulled, onlyGrpc];
    const message = messageOf(request);
    const { path, requestSerialize } = method;
    const call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      decodeConsumeResponse,
      message,
      options.headers,
      {
        interceptors,
      },
    );
    this.#call = call;
    this.#accepted = startTimer(options.acceptTimeoutMs, () => {
      this.#isLate = true;
      this.#cancel();
    });
    for (const signal of options.signals) signal?.addEventListener("abort", this.#cancel);
    call.once("metadata", () => {
      this.#accepted.cancel();
      receiveMessagesInPlace(call);
    });
    call.on("data", (event: ConsumeEvent | undefined) => this.#received(event));
    call.on("end", () => this.#ended());
    call.on("error", (error) => this.#ended(this.#errorOf(error)));
  }

  next(): Promise<Result> {
    if (this.#hasEnded) return this.#end();
    this.#wanted = Promise.withResolvers<Result>();
    this.#gate.pull();
    return this.#wanted.promise;
  }

  async return(): Promise<Result> {
    this.#ended();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #received(event: ConsumeEvent | undefined): void {
    if (event === undefined) {
      this.#gate.pull(); // an event of a later version
      return;
    }
    this.#wanted?.resolve({ done: false, value: event });
    this.#wanted = undefined;
  }

  #ended(failure?: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#failure = failure;
    this.#wanted?.resolve(this.#end());
    this.#accepted.cancel();
    for (const signal of this.#options.signals) signal?.removeEventListener("abort", this.#cancel);
    this.#cancel();
  }

  /** What `next` returns after the end. A failure may have come long before it is asked for. */
  #end(): Promise<Result> {
    const isFailure = this.#failure !== undefined && !this.#isAborted;
    return isFailure ? Promise.reject(this.#failure) : Promise.resolve(DONE);
  }

  readonly #cancel = () => this.#call.cancel();

  get #isAborted(): boolean {
    return this.#options.signals.some((signal) => signal?.aborted);
  }

  #errorOf(error: Error): Error {
    return this.#isLate ? notAccepted(this.#options.acceptTimeoutMs) : error;
  }
}

function messageOf(request: ConsumeRequest): object {
  return {
    topic: request.topic,
    topicId: request.topicId,
    partition: request.partition,
    from: positionToMessage(request.from ?? "earliest"),
    until: request.until === undefined ? undefined : positionToMessage(request.until),
    maxBytes: request.maxBytes,
    seesCaughtUp: request.seesCaughtUp,
  };
}

function notAccepted(timeoutMs: number): UnavailableError {
  return new UnavailableError(
    `the server did not accept a stream within ${timeoutMs} ms: it is overloaded, or a proxy limits the number of open streams`,
  );
}

/**
 * Receives one message for each `pull`. Node's streams read 16 messages ahead, which could be 16
 * MiB a partition.
 */
class PulledCall extends InterceptingCall {
  #pulled = false;
  #wanted = false;

  override startRead(): void {
    this.#wanted = true;
    this.#readIfBoth();
  }

  pull(): void {
    this.#pulled = true;
    this.#readIfBoth();
  }

  #readIfBoth(): void {
    if (!this.#pulled || !this.#wanted) return;
    this.#pulled = false;
    this.#wanted = false;
    super.startRead();
  }
}
