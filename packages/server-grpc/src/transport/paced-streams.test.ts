import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { paceStreams } from "./paced-streams.js";

/**
 * Answers 300 concurrent calls, every third of which is reset. Returns how many started in each
 * turn, and how many were answered.
 */
async function burst(pace: boolean): Promise<{ begunInTurns: number[]; answered: number }> {
  const server = createServer();
  const begunInTurns: number[] = [];
  let begun = 0;
  server.on("stream", (stream: ServerHttp2Stream) => {
    if (begun++ === 0) {
      setImmediate(() => {
        begunInTurns.push(begun);
        begun = 0;
      });
    }
    stream.on("error", () => {});
    stream.resume(); // a stream that was reset stays open until it is read
    stream.respond({ ":status": 200 });
    stream.end("answer");
  });
  if (pace) paceStreams(server, 10);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(session, "connect");
  await once(session, "remoteSettings");
  let answered = 0;
  await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      const call = session.request({ ":path": "/" });
      call.on("error", () => {});
      call.on("data", () => answered++);
      if (i % 3 === 0) call.close();
      await once(call, "close");
    }),
  );
  session.close();
  server.close();
  await once(server, "close");
  return { begunInTurns, answered };
}

test("concurrent calls start a few per turn of the event loop, and all are answered", async () => {
  const { begunInTurns, answered } = await burst(true);
  expect(Math.max(...begunInTurns)).toBeLessThanOrEqual(20); // a measurement may overlap two turns
  expect(answered).toBeGreaterThanOrEqual(200);
});

test("without pacing they all start at once", async () => {
  const { begunInTurns } = await burst(false);
  expect(Math.max(...begunInTurns)).toBeGreaterThan(20);
});

test("connections take turns: a call does not wait for all that another one has made", async () => {
  const server = createServer();
  const firstBegun = Promise.withResolvers<void>();
  let begun = 0;
  let begunBefore: number | undefined;
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    firstBegun.resolve();
    if (headers[":path"] === "/other") begunBefore = begun;
    begun++;
    stream.respond({ ":status": 200 });
    stream.end();
  });
  paceStreams(server, 1);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [many, other] = [connect(address), connect(address)];
  await Promise.all([once(many, "remoteSettings"), once(other, "remoteSettings")]);
  const call = (session: ClientHttp2Session, path: string) =>
    once(session.request({ ":path": path }).resume(), "close");
  const calls = Array.from({ length: 300 }, () => call(many, "/"));
  await firstBegun.promise;
  await Promise.all([...calls, call(other, "/other")]);
  many.close();
  other.close();
  server.close();
  await once(server, "close");
  expect(begun).toBe(301);
  expect(begunBefore).toBeLessThan(150);
});
