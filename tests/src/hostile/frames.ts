/**
 * HTTP/2 frames as bytes (RFC 9113), with headers in the simplest form of HPACK (RFC 7541):
 * literals without indexing.
 */

export const Frame = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = { ACK: 1, END_STREAM: 1, END_HEADERS: 4 } as const;

export const FRAME_HEADER_BYTES = 9;

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Identifiers and values of SETTINGS. */
export function settings(...pairs: [number, number][]): Buffer {
  const parts = pairs.map(([id, value]) => {
    const bytes = Buffer.alloc(6);
    bytes.writeUInt16BE(id);
    bytes.writeUInt32BE(value, 2);
    return bytes;
  });
  return frame(Frame.SETTINGS, 0, 0, Buffer.concat(parts));
}

/** The start of a connection. */
export const hello = Buffer.concat([preface, settings()]);

/** A header block. */
export function headerBlock(headers: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), hpackString(name), hpackString(value)]));
}

function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([hpackInteger(bytes.length, 7, 0), bytes]);
}

/** An integer with a prefix of that many bits; `pattern` fills the bits above. */
export function hpackInteger(value: number, prefixBits: number, pattern: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.of(pattern | value);
  const bytes = [pattern | most];
  let rest = value - most;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** The headers of a call of LogService. */
export function callHeaders(method: string, ...more: [string, string][]): [string, string][] {
  return headersOf(`/logstore.v1.LogService/${method}`, ...more);
}

/** The headers of a call of any method. */
export function headersOf(path: string, ...more: [string, string][]): [string, string][] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ...more,
  ];
}

export function headersFrame(stream: number, headers: readonly (readonly [string, string])[], flags = 4): Buffer {
  return frame(Frame.HEADERS, flags, stream, headerBlock(headers));
}

/** A message in gRPC framing; `length` may be wrong. */
export function grpcMessage(message: Uint8Array, { compressed = 0, length = message.length } = {}): Buffer {
  return Buffer.concat([Buffer.of(compressed), uint32(length), message]);
}

/** DATA frames of the size that every server accepts. */
export function dataFrames(stream: number, bytes: Uint8Array, endStream = false): Buffer {
  const most = 16_384;
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += most) {
    const isLast = at + most >= bytes.length;
    parts.push(frame(Frame.DATA, isLast && endStream ? Flag.END_STREAM : 0, stream, bytes.subarray(at, at + most)));
  }
  return Buffer.concat(parts);
}
