import type { ClientDuplexStream } from "@grpc/grpc-js";
import { type LogStoreError, startTimer, type Timer, UnavailableError } from "@logstore/codec";
import type { ErrorDetail, ProduceAck, ProduceRequest } from "@logstore/protocol";
import { checkAck } from "./check-answer.js";
import { fromErrorDetail } from "./grpc-errors.js";
import { RequestWriter } from "./request-writer.js";

/** Message `ProduceStreamResponse` of log.proto. */
export interface ProduceStreamResponse {
  readonly ack?: ProduceAck;
  readonly error?: ErrorDetail;
}

export type ProduceStream = ClientDuplexStream<ProduceRequest, ProduceStreamResponse>;

interface Call {
  readonly request: ProduceRequest;
  readonly resolve: (ack: ProduceAck) => void;
  readonly reject: (error: LogStoreError) => void;
  /** Whether nothing in this process reads the request's memory any more. */
  isSent: boolean;
  isAcked: boolean;
}

/**
 * Buffers from this length on are freed explicitly. Left to the garbage collector, they would cause
 * a full collection every 100 messages or so; smaller ones cost less to collect.
 */
const FREED_FROM_BYTES = 16 * 1024;

/** Time without appends after which the stream is closed, ms; the next append opens another one. */
const IDLE_MS = 1000;

/**
 * Sends all appends of a client on one bidirectional stream, which is opened when it is needed.
 * Responses arrive in the order of the requests. When the stream ends, every request without a
 * response fails, and may or may not have been carried out.
 */
export class ProduceChannel {
  readonly #openStream: () => ProduceStream;
  readonly #toError: (error: unknown, hadAnswers: boolean) => LogStoreError;
  #stream: ProduceStream | undefined;
  #writer: RequestWriter | undefined;
  #idle: Timer | undefined;
  /** Monotonic ms. */
  #idleSince = 0;
  /** Requests that are not written yet. */
  #waiting: Call[] = [];
  #unanswered: Call[] = [];

  /**
   * @param toError converts the error that ended a stream; its second argument says whether there
   * were responses before
   */
  constructor(openStream: () => ProduceStream, toError: (error: unknown, hadAnswers: boolean) => LogStoreError) {
    this.#openStream = openStream;
    this.#toError = toError;
  }

  produce(request: ProduceRequest): Promise<ProduceAck> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject, isSent: false, isAcked: false });
      this.#write();
    });
  }

  close(error: LogStoreError): void {
    this.#stream?.cancel();
    this.#fail(error);
  }

  #write(): void {
    while (this.#writer?.isReady !== false) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      this.#unanswered.push(call);
      this.#writer ??= this.#open();
      this.#writer.write(call.request, () => {
        call.isSent = true;
        freeIfDone(call);
      });
    }
  }

  #open(): RequestWriter {
    const stream = this.#openStream();
    this.#stream = stream;
    const writer = new RequestWriter(stream, () => {
      if (this.#stream === stream) this.#write();
    });
    let hadAnswers = false;
    const ended = (error: LogStoreError) => {
      if (this.#stream === stream) this.#fail(error);
    };
    stream.on("data", (response: ProduceStreamResponse) => {
      hadAnswers = true;
      if (this.#stream === stream) this.#answer(response);
    });
    stream.on("error", (error) => ended(this.#toError(error, hadAnswers)));
    // After an error, which comes in the same turn, `#stream` is another one or undefined.
    stream.on("status", () => ended(new UnavailableError("the server ended the stream of appends")));
    return writer;
  }

  #answer({ ack, error }: ProduceStreamResponse): void {
    const call = this.#unanswered.shift();
    if (call === undefined) return;
    this.#writer?.answered(this.#unanswered.length === 0);
    if (this.#unanswered.length === 0 && this.#waiting.length === 0) this.#endWhenIdle();
    if (ack) {
      try {
        const checked = checkAck(ack, call.request);
        call.isAcked = true;
        freeIfDone(call);
        call.resolve(checked);
      } catch (error) {
        call.reject(error as LogStoreError);
      }
    } else
      call.reject(
        error ? fromErrorDetail(error) : this.#toError(new Error("the response has neither an ack nor an error"), true),
      );
  }

  /** Closes an idle stream, because an open one keeps the process alive. */
  #endWhenIdle(): void {
    this.#idleSince = performance.now();
    this.#idle ??= startTimer(IDLE_MS, () => {
      this.#idle = undefined;
      if (this.#unanswered.length > 0 || this.#waiting.length > 0) return;
      if (performance.now() - this.#idleSince < IDLE_MS / 2) return this.#endWhenIdle();
      const stream = this.#stream;
      this.#stream = undefined;
      this.#writer = undefined;
      stream?.end();
    });
  }

  #fail(error: LogStoreError): void {
    this.#idle?.cancel();
    this.#idle = undefined;
    const calls = [...this.#unanswered, ...this.#waiting];
    this.#stream = undefined;
    this.#writer = undefined;
    this.#unanswered = [];
    this.#waiting = [];
    for (const call of calls) call.reject(error);
  }
}

/** Frees the memory of a request that is not needed any more: one that failed may be sent again. */
function freeIfDone({ request: { batches, isOwned }, isSent, isAcked }: Call): void {
  const { buffer } = batches;
  if (isSent && isAcked && isOwned && batches.length >= FREED_FROM_BYTES) (buffer as ArrayBuffer).transfer(0);
}
