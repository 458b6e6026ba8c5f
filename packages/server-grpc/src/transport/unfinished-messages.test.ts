/** Limits on incomplete messages per connection; complete ones are no longer counted. */
import { type ClientHttp2Stream, connect } from "node:http2";
import { expect, onTestFinished, test } from "vitest";
import { eventually, home } from "../../test/home.js";
import type { Refusal } from "../index.js";

const MIB = 1024 * 1024;

/** A call that announces a message of that many bytes and sends a part of them. */
function begin(
  session: ReturnType<typeof connect>,
  announced: number,
  sent: number,
  method = "Produce",
): ClientHttp2Stream {
  const call = session.request({
    ":method": "POST",
    ":path": `/logstore.v1.LogService/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  call.on("error", () => {}); // from the reset
  const message = Buffer.alloc(5 + sent);
  message.writeUInt32BE(announced, 1);
  call.write(message);
  return call;
}

function connected(address: string) {
  const session = connect(`http://${address}`);
  onTestFinished(() => session.destroy());
  return session;
}

test.each(["Produce", "ProduceStream"])(
  "when a connection starts more than allowed of %s, calls are reset, and others continue",
  {
    timeout: 60_000,
  },
  async (method) => {
    const refusals: Refusal[] = [];
    const { server, client } = await home({ onRefused: (refusal) => refusals.push(refusal) });
    const session = connected(server.address);
    const calls = Array.from({ length: 12 }, () => begin(session, 16 * MIB, 15 * MIB, method));
    await eventually(() => calls.some(({ closed }) => closed));
    expect(calls.find(({ closed }) => closed)?.rstCode).toBe(11); // ENHANCE_YOUR_CALM
    expect(calls.filter(({ closed }) => !closed).length).toBeGreaterThan(4);
    expect(refusals[0]).toMatchObject({ refused: "call", method: `/logstore.v1.LogService/${method}` });
    await expect(client.call("ListTopics", {})).resolves.toMatchObject({ topics: [{ topic: "t" }] });
  },
);

test("a message that is joined counts with the memory that it occupies", { timeout: 60_000 }, async () => {
  const { server } = await home();
  const session = connected(server.address);
  const begun = Buffer.alloc(5 + 1_000);
  begun.writeUInt32BE(MIB, 1);
  const calls: ClientHttp2Stream[] = [];
  for (let i = 0; i < 80; i++) {
    const call = begin(session, MIB, MIB, "ProduceStream");
    calls.push(call);
    await new Promise((resolve) => call.once("data", resolve).once("close", resolve)); // answered, or reset
    call.write(begun); // its buffer is as long as that of the message before
  }
  await eventually(() => calls.some(({ closed }) => closed));
  expect(calls.find(({ closed }) => closed)?.rstCode).toBe(11); // ENHANCE_YOUR_CALM
});

test("a complete request counts until the peer has half-closed", { timeout: 60_000 }, async () => {
  const { server } = await home();
  const session = connected(server.address);
  const calls = Array.from({ length: 12 }, () => begin(session, 15 * MIB, 15 * MIB));
  await eventually(() => calls.some(({ closed }) => closed));
  expect(calls.find(({ closed }) => closed)?.rstCode).toBe(11); // ENHANCE_YOUR_CALM
});

test("complete messages and cancelled calls are not counted", { timeout: 60_000 }, async () => {
  const { server } = await home();
  const session = connected(server.address);
  for (let i = 0; i < 10; i++) {
    const call = begin(session, 16 * MIB, 15 * MIB);
    if (i % 2 === 0) call.end(Buffer.alloc(MIB));
    else call.write(Buffer.alloc(MIB / 2), () => call.close());
    call.resume();
    await new Promise((resolve) => call.once("close", resolve));
    expect(call.rstCode).not.toBe(11);
  }
});
