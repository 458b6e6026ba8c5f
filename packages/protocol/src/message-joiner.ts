/** A flag that says whether the message is compressed, and its length. */
const PREFIX_BYTES = 5;

/**
 * How much of a message's length is believed before its data arrives: a peer that announces a long
 * message and sends nothing occupies no more.
 */
const FIRST_BYTES = 64 * 1024;
/** The same if the previous message of the stream was as long: most are about equally long. */
const EXPECTED_BYTES = 1024 * 1024;
/** A buffer that is too short is replaced by one that is longer by this factor. */
const GROWTH = 8;

/**
 * Joins the data of an HTTP/2 stream into gRPC messages, each in a buffer of its own. It replaces
 * the decoder of a call in grpc-js, and has its names.
 */
export class MessageJoiner<Message extends Uint8Array = Uint8Array> {
  /** Longer messages are refused as soon as their length has arrived; -1: there is no limit. */
  maxReadMessageLength: number;
  /**
   * Length of the current message, and how many of its bytes have not arrived; both 0 before its
   * length is known.
   */
  readMessageSize = 0;
  readMessageRemaining = 0;
  readonly #allocate: (bytes: number) => Message;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixBytes = 0;
  /** The current message with its prefix, once its length is known. */
  #message: Message | undefined;
  #lastLength = 0;
  /** Nothing is joined after it. */
  #failure: Error | undefined;
  /** Messages that `add` has returned and `write` is going to get, oldest first. */
  readonly #joined: Message[] = [];

  constructor(maxReadMessageLength: number, allocate: (bytes: number) => Message) {
    this.maxReadMessageLength = maxReadMessageLength;
    this.#allocate = allocate;
  }

  /**
   * Returns the messages that are complete now, with their prefixes. `data` is not referenced any
   * more; or it is a whole message, see {@link joined}.
   *
   * @throws Error if a message is too long
   */
  write(data: Message): Message[] {
    if (data !== this.#joined[0]) return this.add(data);
    this.#joined.shift();
    return [data];
  }

  /** Memory that the current message occupies, which may be more than has arrived. */
  get heldBytes(): number {
    return this.#message?.length ?? 0;
  }

  /** The next data that `write` gets is this message, which `add` has returned. */
  joined(message: Message): void {
    this.#joined.push(message);
  }

  /** Number of messages that `write` is going to get as they are. */
  get waiting(): number {
    return this.#joined.length;
  }

  /** `write` gets none of the messages that `add` has returned until now. */
  forgetJoined(): void {
    if (this.#joined.length > 0) this.#joined.length = 0;
  }

  /** Like {@link write}, for the data of frames. */
  add(data: Uint8Array): Message[] {
    if (this.#failure !== undefined) throw this.#failure;
    const complete: Message[] = [];
    for (let at = 0; at < data.length; ) {
      at += this.#message === undefined ? this.#addToPrefix(data, at) : this.#addToMessage(this.#message, data, at);
      if (this.#message === undefined || this.readMessageRemaining > 0) continue;
      complete.push(this.#message);
      this.#lastLength = this.readMessageSize;
      this.#message = undefined;
      this.#prefixBytes = 0;
      this.readMessageSize = 0;
    }
    return complete;
  }

  #addToPrefix(data: Uint8Array, from: number): number {
    const taken = Math.min(PREFIX_BYTES - this.#prefixBytes, data.length - from);
    for (let i = 0; i < taken; i++) this.#prefix[this.#prefixBytes++] = data[from + i]!;
    if (this.#prefixBytes === PREFIX_BYTES) this.#begin();
    return taken;
  }

  #begin(): void {
    const [, a, b, c, d] = this.#prefix as unknown as [number, number, number, number, number];
    const length = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
    if (this.maxReadMessageLength !== -1 && length > this.maxReadMessageLength) {
      this.#failure = new Error(`Received message larger than max (${length} vs ${this.maxReadMessageLength})`);
      throw this.#failure;
    }
    const believed = Math.max(FIRST_BYTES, Math.min(this.#lastLength, EXPECTED_BYTES));
    this.#message = this.#allocate(PREFIX_BYTES + Math.min(length, believed));
    this.#message.set(this.#prefix);
    this.readMessageSize = length;
    this.readMessageRemaining = length;
  }

  #addToMessage(message: Message, data: Uint8Array, from: number): number {
    const taken = Math.min(this.readMessageRemaining, data.length - from);
    const filled = PREFIX_BYTES + this.readMessageSize - this.readMessageRemaining;
    const target = filled + taken <= message.length ? message : this.#grown(message, filled, taken);
    target.set(taken === data.length ? data : data.subarray(from, from + taken), filled);
    this.readMessageRemaining -= taken;
    return taken;
  }

  #grown(message: Message, filled: number, more: number): Message {
    const bytes = Math.max(GROWTH * message.length, filled + more);
    const grown = this.#allocate(Math.min(PREFIX_BYTES + this.readMessageSize, bytes));
    grown.set(message.subarray(0, filled));
    this.#message = grown;
    return grown;
  }
}
