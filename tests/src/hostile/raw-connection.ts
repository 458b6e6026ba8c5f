/**
 * A connection that can violate HTTP/2 in any way: bytes are sent as given, and frames received are
 * only counted.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Flag, FRAME_HEADER_BYTES, Frame } from "./frames.ts";

export class RawConnection {
  /** Error code of a received GOAWAY, and the number of RST_STREAMs for each error code. */
  goaway: number | undefined;
  readonly resets = new Map<number, number>();
  /** Number of bytes received. */
  received = 0;
  /** Number of calls that the server has ended. */
  ended = 0;
  /** Number of calls that the server has started to answer. */
  begun = 0;
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #partial: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #closedByUs = false;
  #onFrames = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        resolve();
      });
    });
    socket.on("error", () => {}); // "close" follows, and the result is in its counters
    socket.on("data", (bytes) => this.#receive(bytes));
  }

  /** Resolves when the connection is open or was refused. */
  static async open(port: number, localAddress?: string): Promise<RawConnection> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, ...(localAddress && { localAddress }) });
    const connection = new RawConnection(socket);
    await Promise.race([once(socket, "connect").catch(() => {}), connection.#closed]);
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the connection was closed, other than by {@link close}. */
  get wasEnded(): boolean {
    return this.#isClosed && !this.#closedByUs;
  }

  /** Resolves when the peer has accepted the bytes, or accepts no more. */
  async write(...parts: Uint8Array[]): Promise<void> {
    if (this.#isClosed || this.#socket.writableEnded) return;
    if (this.#socket.write(Buffer.concat(parts))) return;
    await Promise.race([once(this.#socket, "drain").catch(() => {}), this.#closed]);
  }

  /**
   * Resolves when that many calls were ended, by HEADERS with END_STREAM or a reset, or after `ms`.
   */
  async answered(calls: number, ms: number): Promise<void> {
    await this.#until(() => this.ended >= calls, ms);
  }

  /** Resolves when a response has started or completed, or after `ms`. */
  async hasAnswer(ms: number): Promise<void> {
    await this.#until(() => this.begun + this.ended > 0, ms);
  }

  /** Resolves when anything is received, or after `ms`. */
  async heard(ms: number): Promise<void> {
    await this.#until(() => true, ms, { later: true });
  }

  /** Stops reading from the socket. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Resolves when the server has closed the connection, or after `ms`. */
  async closedWithin(ms: number): Promise<void> {
    await this.#until(() => false, ms);
  }

  close(): void {
    this.#closedByUs = !this.#isClosed;
    this.#socket.destroy();
  }

  async #until(condition: () => boolean, ms: number, { later = false } = {}): Promise<void> {
    if (this.#isClosed || (!later && condition())) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#onFrames = () => {
      if (condition()) resolve();
    };
    await Promise.race([this.#closed, promise]);
    clearTimeout(timer);
  }

  #receive(bytes: Buffer): void {
    this.received += bytes.length;
    let rest = this.#partial.length === 0 ? bytes : Buffer.concat([this.#partial, bytes]);
    while (rest.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + rest.readUIntBE(0, 3);
      if (rest.length < end) break;
      const type = rest[3];
      if (type === Frame.GOAWAY) this.goaway = rest.readUInt32BE(FRAME_HEADER_BYTES + 4);
      if (type === Frame.RST_STREAM) {
        const code = rest.readUInt32BE(FRAME_HEADER_BYTES);
        this.resets.set(code, (this.resets.get(code) ?? 0) + 1);
        this.ended++;
      }
      if (type === Frame.HEADERS && (rest[4]! & Flag.END_STREAM) !== 0) this.ended++;
      else if (type === Frame.HEADERS) this.begun++;
      rest = rest.subarray(end);
    }
    this.#partial = rest;
    this.#onFrames();
  }
}
