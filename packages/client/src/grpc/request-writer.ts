/** Writes the requests of one ProduceStream. */
import type { ClientHttp2Stream } from "node:http2";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { encodeProduceRequest, frameCopy, frameInPlace, type ProduceRequest } from "@logstore/protocol";
import { http2StreamOf } from "./http2-stream-of.js";

/**
 * Bytes that may wait in HTTP/2: enough for the next write to follow the previous one at once. The
 * others wait in the producers, where they can still be rejected.
 */
const MAX_UNSENT_BYTES = 1024 * 1024;

/**
 * grpc-js copies each message into a new buffer to put its prefix before it, and passes on one
 * message at a time. So this writes to the HTTP/2 stream of the call, where a batch is framed in
 * its own buffer. The stream is there once the server has responded. Requests that were written
 * through grpc-js before may still wait in it, and must not be overtaken: so the next ones wait,
 * once, until all of them are answered.
 */
export class RequestWriter {
  readonly #call: ClientDuplexStream<ProduceRequest, unknown>;
  readonly #onReady: () => void;
  /** Whether requests wait until those that grpc-js may still hold are answered. */
  #isChanging = false;
  #hasChanged = false;
  /** Undefined while requests are written through grpc-js. */
  #stream: ClientHttp2Stream | undefined;
  #isCongested = false;
  #unsentBytes = 0;

  /** @param onReady called when more requests may be written */
  constructor(call: ClientDuplexStream<ProduceRequest, unknown>, onReady: () => void) {
    this.#call = call;
    this.#onReady = onReady;
    call.on("drain", () => this.#resume());
  }

  /** Whether a request may be written now. */
  get isReady(): boolean {
    return !this.#isCongested && !this.#isChanging;
  }

  /**
   * @param sent called when HTTP/2 has sent the request, and nothing reads its memory any more.
   * Never called if that is not known.
   */
  write(request: ProduceRequest, sent: () => void): void {
    if (this.#stream === undefined) this.#isCongested = !this.#call.write(request);
    else this.#writeTo(this.#stream, request, sent);
  }

  /**
   * The server has responded to a request.
   *
   * @param isIdle whether all requests that were written are answered
   */
  answered(isIdle: boolean): void {
    if (this.#hasChanged) return;
    this.#isChanging = !isIdle;
    if (this.#isChanging) return;
    this.#hasChanged = true;
    this.#stream = http2StreamOf(this.#call);
    this.#resume();
  }

  #writeTo(stream: ClientHttp2Stream, request: ProduceRequest, sent: () => void): void {
    const message = encodeProduceRequest(request);
    const framed = frameInPlace(message, request) ?? frameCopy(message);
    const { length } = framed;
    this.#unsentBytes += length;
    this.#isCongested = this.#unsentBytes >= MAX_UNSENT_BYTES;
    stream.write(framed, (error) => {
      this.#unsentBytes -= length;
      if (error) return; // the call ends with it
      sent();
      if (this.#isCongested && this.#unsentBytes < MAX_UNSENT_BYTES) this.#resume();
    });
  }

  #resume(): void {
    this.#isCongested = false;
    this.#onReady();
  }
}
