import type { ProduceAck, ProduceRequest } from "@logstore/protocol";
import { expect, test } from "vitest";
import { sealed } from "../../test/fake-log.js";
import { collect } from "../../test/foreign-client.js";
import { anotherClient, eventually, home, settled } from "../../test/home.js";

const DEADLINE_EXCEEDED = 4;

/** A `produce` whose results are held until they are released. */
function heldProduce() {
  const held: { request: ProduceRequest; ack: () => void }[] = [];
  const ack = { baseOffset: 0, nextOffset: 1, durability: "flushed", duplicate: false, logEndOffset: 1 } as const;
  const produce = (request: ProduceRequest) =>
    new Promise<ProduceAck>((resolve) => held.push({ request, ack: () => resolve(ack) }));
  return { held, produce };
}

const batches = sealed("x".repeat(100_000));
const request = { topic: "t", partition: 0, batches };

test("unary calls and streams share the limit on bytes of appends", async () => {
  const { held, produce } = heldProduce();
  const here = await home({ api: { produce }, receiveBudgetBytes: 500_000 });
  const stream = here.client.produceStream();
  const answers = collect(stream);
  stream.write(request);
  await eventually(() => held.length === 1);
  const calls = [];
  for (let i = 0; i < 4; i++) {
    calls.push(here.client.call("Produce", request));
    await eventually(() => held.length === i + 2);
  }
  // The budget is used up now.
  for (let i = 0; i < 8; i++) calls.push(anotherClient(here).call("Produce", request));
  stream.write(request);
  stream.write(request);
  expect(await settled(() => held.length)).toBeLessThanOrEqual(6); // the stream was about to read its second one
  for (let i = 0; i < 15; i++) {
    await eventually(() => held.length > i);
    held[i]?.ack();
  }
  expect(await Promise.all(calls)).toHaveLength(12);
  stream.end();
  expect((await answers).messages).toHaveLength(3);
});

/**
 * Two calls hold more than half of the budget: from here on one proceeds for each that is answered.
 */
async function full() {
  const { held, produce } = heldProduce();
  const here = await home({ api: { produce }, receiveBudgetBytes: 150_000 });
  const calls = [];
  for (let i = 0; i < 2; i++) {
    calls.push(here.client.call("Produce", request));
    await eventually(() => held.length === i + 1);
  }
  return { held, here, calls };
}

test("a call that ends while it waits for room passes its place to the next one", async () => {
  const { held, here, calls } = await full();
  const left = anotherClient(here).call("Produce", request, { "grpc-timeout": "300m" });
  const ended = expect(left).rejects.toMatchObject({ code: DEADLINE_EXCEEDED });
  await settled(() => held.length);
  calls.push(here.client.call("Produce", { ...request, topic: "next" }));
  await ended;
  await settled(() => held.length);
  expect(held).toHaveLength(2);
  held[0]?.ack();
  await eventually(() => held.length === 3);
  expect(held[2]?.request.topic).toBe("next");
  for (const { ack } of held) ack();
  await Promise.all(calls);
});

test("so does a stream", async () => {
  const { held, here, calls } = await full();
  const leaving = anotherClient(here).produceStream();
  leaving.on("error", () => {});
  leaving.write(request);
  await settled(() => held.length);
  calls.push(here.client.call("Produce", { ...request, topic: "next" }));
  await settled(() => held.length);
  leaving.cancel();
  await settled(() => held.length);
  expect(held).toHaveLength(2);
  held[0]?.ack();
  await eventually(() => held.length === 3);
  expect(held[2]?.request.topic).toBe("next");
  for (const { ack } of held) ack();
  await Promise.all(calls);
});
