/**
 * A connection that speaks HTTP/2 as badly as one likes: bytes go out as they are given, frames
 * that come in are only counted.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Flag, FRAME_HEADER_BYTES, Frame } from "./frames.ts";

export class RawConnection {
  /** Error code of a GOAWAY that came, and of the RST_STREAMs: how often each. */
  goaway: number | undefined;
  readonly resets = new Map<number, number>();
  /** Bytes. */
  received = 0;
  /** Calls that the server has ended. */
  ended = 0;
  /** Calls that it has begun to answer. */
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
    socket.on("error", () => {}); // "close" follows, and that it was cut off is what was to be seen
    socket.on("data", (bytes) => this.#receive(bytes));
  }

  /** Resolves when it is connected, or when it was refused. */
  static async open(port: number, localAddress?: string): Promise<RawConnection> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, ...(localAddress && { localAddress }) });
    const connection = new RawConnection(socket);
    await Promise.race([once(socket, "connect").catch(() => {}), connection.#closed]);
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the connection ended, and not by {@link close}. */
  get wasEnded(): boolean {
    return this.#isClosed && !this.#closedByUs;
  }

  /** Resolves when the other side has taken the bytes in, or will take no more. */
  async write(...parts: Uint8Array[]): Promise<void> {
    if (this.#isClosed || this.#socket.writableEnded) return;
    if (this.#socket.write(Buffer.concat(parts))) return;
    await Promise.race([once(this.#socket, "drain").catch(() => {}), this.#closed]);
  }

  /**
   * Resolves when so many calls were ended, by HEADERS with END_STREAM or a reset, or after so many
   * ms.
   */
  async answered(calls: number, ms: number): Promise<void> {
    await this.#until(() => this.ended >= calls, ms);
  }

  /** Resolves when an answer has begun or has come, or after so many ms. */
  async hasAnswer(ms: number): Promise<void> {
    await this.#until(() => this.begun + this.ended > 0, ms);
  }

  /** Resolves when anything comes, or after so many ms if nothing does. */
  async heard(ms: number): Promise<void> {
    await this.#until(() => true, ms, { later: true });
  }

  /** Takes nothing in any more. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Resolves when the server has ended the connection, or after so many ms if it does not. */
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
