import { once } from "node:events";
import { connect } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { wholeRequests } from "./whole-requests.js";

const DEADLINE_EXCEEDED = "4";

test("an incomplete request times out, a complete one is answered however long that takes", async () => {
  const told: string[][] = [];
  const server = new Server({ interceptors: [wholeRequests(30, (...refused) => told.push(refused))] });
  const bytes = (message: Buffer) => message;
  const method = { requestStream: false, responseStream: false, requestSerialize: bytes, requestDeserialize: bytes };
  server.addService(
    { Call: { ...method, path: "/s/Call", responseSerialize: bytes, responseDeserialize: bytes } },
    {
      Call: (_call: unknown, respond: (error: null, answer: Buffer) => void) =>
        setTimeout(respond, 90, null, Buffer.of()),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), bound);
  });
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => {
    session.destroy();
    server.forceShutdown();
  });
  const statusOf = async (request: Buffer, ends: boolean) => {
    const headers = { ":method": "POST", ":path": "/s/Call", "content-type": "application/grpc", te: "trailers" };
    const stream = session.request(headers, { endStream: false });
    let found: unknown;
    const look = (headers: object) => (found ??= (headers as Record<string, unknown>)["grpc-status"]);
    stream
      .on("response", look)
      .on("trailers", look)
      .on("error", () => {})
      .resume();
    stream.write(request);
    if (ends) stream.end();
    await once(stream, "close"); // the stream is closed completely
    return found;
  };
  expect(await statusOf(Buffer.from("00000000056162", "hex"), false)).toBe(DEADLINE_EXCEEDED);
  expect(await statusOf(Buffer.from("0000000002abcd", "hex"), true)).toBe("0");
  // The message has arrived, the end of the request has not.
  expect(await statusOf(Buffer.from("0000000002abcd", "hex"), false)).toBe(DEADLINE_EXCEEDED);
  expect(told).toHaveLength(2);
  expect(told[0]).toEqual([expect.stringContaining("127.0.0.1"), "/s/Call", expect.stringContaining("30 ms")]);
});
