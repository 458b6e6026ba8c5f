/** Reports of peers that violate HTTP/2. */
import { connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { eventually, home } from "../../test/home.js";
import type { Refusal } from "../index.js";

async function peered() {
  const refusals: Refusal[] = [];
  const { server, client } = await home({ onRefused: (refusal) => refusals.push(refusal) });
  const [host, port] = server.address.split(":");
  const open = (): Socket => {
    const socket = connect(Number(port), host);
    socket.on("error", () => {});
    onTestFinished(() => void socket.destroy());
    return socket;
  };
  return { refusals, server, client, open };
}

const told = { refused: "connection", peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) };

test("bytes that are not HTTP/2 are reported once, and others are served", async () => {
  const { refusals, client, open } = await peered();
  open().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await eventually(() => refusals.length > 0);
  expect(refusals).toEqual([{ ...told, reason: expect.stringContaining("its HTTP/2 session failed") }]);
  expect((await client.call("ListTopics", {})).topics).toHaveLength(1);
});

test("calls that are reset as fast as they start end their connection, which is reported", async () => {
  const { refusals, server, client } = await peered();
  const session = connectHttp2(`http://${server.address}`);
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  while (!session.closed && !session.destroyed) {
    for (let i = 0; i < 100 && !session.closed; i++) {
      const stream = session.request({ ":method": "POST", ":path": "/logstore.v1.LogService/Consume" });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(() => refusals.length > 0);
  expect(refusals[0]).toEqual({ ...told, reason: expect.stringContaining("its HTTP/2 session failed") });
  expect((await client.call("ListTopics", {})).topics).toHaveLength(1);
});
