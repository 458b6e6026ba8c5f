/** On real HTTP/2 streams: messages that are received in place are those that were sent. */
import { once } from "node:events";
import { type ClientHttp2Stream, connect, createServer, type Http2Stream, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { frameCopy } from "./grpc-frame.js";
import { MessageJoiner } from "./message-joiner.js";
import { receiveInPlace } from "./receive-in-place.js";

const WINDOW_BYTES = 256 * 1024;

async function streams(): Promise<{ client: ClientHttp2Stream; server: ServerHttp2Stream }> {
  const http = createServer({ settings: { initialWindowSize: WINDOW_BYTES } });
  onTestFinished(() => void http.close());
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const session = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
    settings: { initialWindowSize: WINDOW_BYTES },
  });
  onTestFinished(() => session.destroy());
  const client = session.request({ ":path": "/", ":method": "POST" }, { endStream: false });
  const [server] = (await once(http, "stream")) as [ServerHttp2Stream];
  server.respond({ ":status": 200 });
  await once(client, "response");
  return { client, server };
}

function message(bytes: number, fill: number): Buffer {
  return Buffer.from(frameCopy(new Uint8Array(bytes).fill(fill)));
}

/** Collects the messages of a stream like a call of grpc-js: it pauses after each. */
async function received(
  stream: Http2Stream,
  joiner: MessageJoiner<Buffer<ArrayBuffer>>,
  pause: () => Promise<unknown>,
) {
  const messages: Buffer[] = [];
  stream.on("data", async (data: Buffer<ArrayBuffer>) => {
    stream.pause();
    messages.push(...joiner.write(data));
    await pause();
    stream.resume();
  });
  stream.resume();
  await once(stream, "end");
  return messages;
}

const LENGTHS = [0, 1, 20, 16_379, 16_380, 300_000, 5, 70_000, 0, 1_000_000, 3, 2_000_000, 40];

// If the first assertion fails on a new release of Node, its names have changed: until they are
// adapted, messages are received with twice the memory, and more collections.
test.each([
  ["at once", async () => {}],
  ["in a later turn", () => turn()],
  ["slowly", () => new Promise((resolve) => setTimeout(resolve, 2))],
] as const)("a receiver that reads on %s gets what was sent, in both directions", async (_, pause) => {
  const { client, server } = await streams();
  const both = [client, server].map((stream) => {
    const joiner = new MessageJoiner(-1, Buffer.allocUnsafe);
    expect(receiveInPlace(stream, joiner)).toBe(true);
    return received(stream, joiner, pause);
  });
  for (const stream of [client, server]) {
    for (const [i, bytes] of LENGTHS.entries()) stream.write(message(bytes, i));
    stream.end();
  }
  for (const messages of await Promise.all(both)) {
    expect(messages.map((one) => one.length - 5)).toEqual(LENGTHS);
    expect(messages.every((one, i) => one.equals(message(LENGTHS[i]!, i)))).toBe(true);
  }
});

test("a receiver that does not read stops the sender after a window", async () => {
  const { client, server } = await streams();
  const joiner = new MessageJoiner(-1, Buffer.allocUnsafe);
  receiveInPlace(client, joiner);
  client.pause();
  const sent: number[] = [];
  for (let i = 0; i < 20; i++) server.write(message(100_000, i), () => sent.push(i));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(sent.length).toBeLessThan(8);
  const messages = received(client, joiner, () => turn());
  server.end();
  expect(await messages).toHaveLength(20);
});

test.each([1_000, 100_000])("a slow receiver of %d bytes at a time stops the sender after a window", async (bytes) => {
  const { client, server } = await streams();
  const joiner = new MessageJoiner(-1, Buffer.allocUnsafe);
  receiveInPlace(client, joiner);
  let [sent, taken, ahead] = [0, 0, 0];
  const count = 5_000_000 / bytes;
  for (let i = 0; i < count; i++) server.write(message(bytes, i), () => sent++);
  server.end();
  const slowly = async () => {
    taken++;
    if (taken > 20) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
    ahead = Math.max(ahead, sent - taken);
  };
  const messages = await received(client, joiner, slowly);
  expect(messages.every((one, i) => one.equals(message(bytes, i)))).toBe(true);
  expect(messages).toHaveLength(count);
  // What the receiver holds, what is on its way, and what the sender's HTTP/2 has accepted.
  expect(ahead * bytes).toBeLessThan(4 * WINDOW_BYTES);
});

test("the receiver gets the error of a message that is too long", async () => {
  const { client, server } = await streams();
  const joiner = new MessageJoiner(1000, Buffer.allocUnsafe);
  receiveInPlace(client, joiner);
  const failed = new Promise<unknown>((resolve) => {
    client.on("data", (data: Buffer<ArrayBuffer>) => {
      try {
        joiner.write(data);
      } catch (error) {
        resolve(error);
      }
    });
  });
  server.write(message(1000, 1));
  server.write(message(1001, 2));
  server.end(message(200_000, 3));
  expect(await failed).toMatchObject({ message: expect.stringContaining("1001 vs 1000") });
});

test("many small messages wait in their frames, and none is lost", async () => {
  const { client, server } = await streams();
  let allocated = 0;
  const joiner = new MessageJoiner(-1, (bytes) => {
    allocated++;
    return Buffer.allocUnsafe(bytes);
  });
  receiveInPlace(client, joiner);
  client.pause();
  const lengths = Array.from({ length: 100_000 }, (_, i) => i % 7); // more than a window
  server.end(Buffer.concat(lengths.map((bytes, i) => message(bytes, i % 256))));
  for (let arrived = -1; arrived !== client.readableLength || arrived === 0; ) {
    arrived = client.readableLength;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(allocated).toBeLessThan(5_000);
  const messages = await received(client, joiner, () => turn());
  expect(messages.map((one) => one.length - 5)).toEqual(lengths);
  expect(messages.every((one, i) => one.equals(message(lengths[i]!, i % 256)))).toBe(true);
});

test("messages that the receiver drops are not kept, and those after them are passed on as they are", async () => {
  const { client, server } = await streams();
  const joiner = new MessageJoiner(-1, Buffer.allocUnsafe);
  receiveInPlace(client, joiner);
  const [dropped, taken] = [3, 4];
  let arrived = 0;
  const asTheyAre: boolean[] = [];
  client.on("data", (data: Buffer<ArrayBuffer>) => {
    if (++arrived > dropped) asTheyAre.push(joiner.write(data)[0] === data);
  });
  for (let i = 0; i < dropped + taken; i++) {
    server.write(message(100_000, i));
    while (arrived <= i) await turn();
  }
  expect(asTheyAre).toEqual(new Array(taken).fill(true));
});

test("an error of what receives a message is not taken for one of the message", async () => {
  const { client, server } = await streams();
  const joiner = new MessageJoiner(-1, Buffer.allocUnsafe);
  receiveInPlace(client, joiner);
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  const uncaught = once(process, "uncaughtException");
  const failure = new Error("a listener threw");
  const received: Buffer[] = [];
  client.on("data", (data) => {
    received.push(data);
    throw failure;
  });
  server.write(message(10, 1));
  expect((await uncaught)[0]).toBe(failure);
  expect(received).toEqual([message(10, 1)]);
});

test("a stream with data that nobody has read is received as usual", async () => {
  const { client, server } = await streams();
  server.write(message(10, 1));
  while (client.readableLength === 0) await turn();
  expect(receiveInPlace(client, new MessageJoiner(-1, Buffer.allocUnsafe))).toBe(false);
});

test("a stream without Node's handle is received as usual", () => {
  const stream = { readableLength: 0 } as unknown as Http2Stream;
  expect(receiveInPlace(stream, new MessageJoiner(-1, Buffer.allocUnsafe))).toBe(false);
});
