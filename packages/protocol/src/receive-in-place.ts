/**
 * Receives the messages of a gRPC call without a buffer for each read from the socket.
 *
 * Node's HTTP/2 makes a buffer of everything that it reads, and the data of a stream are views of
 * it. Messages are joined from these views, so that each byte occupies memory twice until the
 * garbage collector frees it, and V8 collects external memory with full collections. `net.Socket`
 * has the option `onread` against this; an HTTP/2 stream is read by the same code of Node, but has
 * no such option. This sets what `onread` sets. Frames are copied into one buffer that is never
 * freed, and from it into their message.
 *
 * Node has no public names for that. A release, or another runtime, may have others: then messages
 * are received as usual. receive-in-place.test.ts fails if the names change.
 */
import { Socket } from "node:net";
import type { MessageJoiner } from "./message-joiner.js";

/** A frame is 16 KiB in Node, and a read from a socket 64 KiB. Longer data comes in pieces. */
const FRAMES_BYTES = 64 * 1024;

/** What reads the streams of this thread. Each use ends before the next one begins. */
const frames = Buffer.allocUnsafeSlow(FRAMES_BYTES);

/**
 * Frames are not joined while more messages than this wait to be read: a frame of empty ones would
 * take fifty times its length.
 */
const MOST_WAITING = 100;

/** Node's native object of a stream. */
interface Handle {
  useUserBuffer(buffer: Uint8Array): void;
}

/** Returns true to read on. */
type OnFrame = (bytes: number, buffer: Uint8Array) => boolean;

/** The part of an `Http2Stream` that this uses. */
export interface MessageStream {
  readonly readableFlowing: boolean | null;
  readonly readableLength: number;
  readonly readableHighWaterMark: number;
  push(data: Uint8Array): boolean;
  _read(size: number): void;
  on(event: "resume", listener: () => void): unknown;
}

/** Names of what `onread` sets. */
interface Names {
  readonly buffer: symbol;
  readonly onFrame: symbol;
  readonly nextBuffer: symbol;
}

/** Looked up at the first use; null in a release that has others. */
let names: Names | null | undefined;

/**
 * From now on, the stream's data are whole messages. Nothing may have been received before, and the
 * messages that come out of the stream go to `joiner.write`.
 *
 * @returns whether that is possible
 */
export function receiveInPlace<Message extends Uint8Array>(
  stream: MessageStream,
  joiner: MessageJoiner<Message>,
): boolean {
  if (names === undefined) names = namesOfOnread();
  const handle = handleOf(stream);
  if (names === null || handle === undefined || stream.readableLength > 0) return false;
  let isRefused = false;
  /** Whether frames wait among the messages to be read. */
  let framesWait = false;
  const onFrame: OnFrame = (bytes, buffer) => {
    if (isRefused) return true;
    const data = buffer.subarray(0, bytes);
    // A call that has ended drops what still arrives: the joiner must not keep it.
    if (stream.readableLength === 0) joiner.forgetJoined();
    framesWait = stream.readableLength > 0 && (framesWait || joiner.waiting > MOST_WAITING);
    if (framesWait) {
      stream.push(Buffer.from(data));
      return false;
    }
    let messages: Message[];
    try {
      messages = joiner.add(data);
    } catch {
      isRefused = true;
      stream.push(Buffer.from(data)); // its receiver adds it, too, and handles the error
      return true;
    }
    for (const message of messages) {
      joiner.joined(message);
      stream.push(message);
    }
    return stream.readableFlowing === true && stream.readableLength === 0;
  };
  Object.assign(stream, { [names.buffer]: frames, [names.onFrame]: onFrame, [names.nextBuffer]: null });
  handle.useUserBuffer(frames);
  // A stream that waits for data since before its pause believes that it is still being read. One
  // that holds many messages is not read, or each resumption would let in another window of them.
  stream.on("resume", () => {
    if (stream.readableLength < stream.readableHighWaterMark) stream._read(0);
  });
  return true;
}

function handleOf(stream: MessageStream): Handle | undefined {
  const name = symbolOf(stream, "kHandle");
  const handle = name && (stream as unknown as Record<symbol, Partial<Handle> | undefined>)[name];
  return typeof handle?.useUserBuffer === "function" ? (handle as Handle) : undefined;
}

function namesOfOnread(): Names | null {
  const socket = new Socket({ onread: { buffer: frames, callback: () => true } });
  const [buffer, onFrame, nextBuffer] = ["kBuffer", "kBufferCb", "kBufferGen"].map((name) => symbolOf(socket, name));
  socket.destroy();
  return buffer && onFrame && nextBuffer ? { buffer, onFrame, nextBuffer } : null;
}

function symbolOf(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
}
