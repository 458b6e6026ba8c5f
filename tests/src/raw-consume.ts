import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";

/**
 * Reads a partition of the topic "t" over bare HTTP/2, so that the test controls how fast the bytes
 * of the messages are read. Reads up to offset `until`, or waits for new records without it.
 */
export function consumeStream(session: ClientHttp2Session, partition: number, until?: number): ClientHttp2Stream {
  const request = Buffer.concat([
    Buffer.of(0x0a, 1, 0x74, 0x10, partition), // topic, partition
    until === undefined ? Buffer.of() : Buffer.of(0x22, 2, 0x08, until),
  ]);
  const stream = session.request({
    ":method": "POST",
    ":path": "/logstore.v1.LogService/Consume",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end(Buffer.concat([Buffer.of(0, 0, 0, 0, request.length), request]));
  return stream;
}
