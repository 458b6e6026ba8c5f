/** Compressed messages are refused before they are decompressed; uncompressed ones are accepted. */
import { once } from "node:events";
import { connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { home } from "../../test/home.js";

/** Calls ListTopics with one message in gRPC framing, and returns the gRPC status. */
async function statusOf(address: string, encoding: string, isCompressed: boolean, message: Uint8Array) {
  const session = connect(`http://${address}`);
  try {
    const call = session.request({
      ":method": "POST",
      ":path": "/logstore.v1.AdminService/ListTopics",
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-encoding": encoding,
    });
    // A response without messages has its status in the headers, any other in the trailers.
    let headers: Record<string, unknown> = {};
    for (const event of ["response", "trailers"]) call.on(event, (more) => (headers = { ...headers, ...more }));
    const frame = Buffer.alloc(5);
    frame[0] = isCompressed ? 1 : 0;
    frame.writeUInt32BE(message.length, 1);
    call.end(Buffer.concat([frame, message]));
    call.resume();
    await once(call, "close");
    return { status: headers["grpc-status"], message: String(headers["grpc-message"] ?? "") };
  } finally {
    session.destroy();
  }
}

test.each(["gzip", "deflate"])("a message in %s is refused", async (encoding) => {
  const { server } = await home();
  const refused = await statusOf(server.address, encoding, true, gzipSync(Buffer.alloc(1_000)));
  expect(refused).toMatchObject({ status: "12", message: expect.stringContaining(encoding) });
});

test("an uncompressed message is accepted, even if its call announces a compression", async () => {
  const { server } = await home();
  expect(await statusOf(server.address, "gzip", false, Buffer.alloc(0))).toMatchObject({ status: "0" });
});
