/**
 * Data of a call that ended early: HTTP/2 may use its memory until the connection has accepted it,
 * and it counts until then.
 */
import type { ConsumeOptions, ConsumeRequest, FetchOptions, FetchResult } from "@logstore/protocol";
import { expect, onTestFinished, test } from "vitest";
import { sealed, valuesOf } from "../../test/fake-log.js";
import { collect, ForeignClient, type Message } from "../../test/foreign-client.js";
import { eventually, type Home, home, settled } from "../../test/home.js";
import { type Relay, relayTo } from "../../test/relay.js";
import type { ServeOptions } from "../serving/serve-options.js";

const MIB = 1024 * 1024;
const MESSAGE_BYTES = 15 * MIB; // more than the buffers of two sockets
const LONG_MS = 1_000_000;
const UNAVAILABLE = 14;

interface Scene extends Home {
  readonly relay: Relay;
  /** Its connection goes through the relay, and HTTP/2 does not limit what the server sends. */
  readonly far: ForeignClient;
  /** The number of messages freed. */
  readonly released: () => number;
  /** Reports of refused and ended connections and calls. */
  readonly refused: readonly string[];
}

async function scene(options: ServeOptions): Promise<Scene> {
  const refused: string[] = [];
  const here = await home({
    stalledStreamTimeoutMs: LONG_MS,
    onRefused: ({ refused: what, reason }) => refused.push(`${what}: ${reason}`),
    ...options,
  });
  const relay = await relayTo(here.server.address);
  const far = new ForeignClient(relay.address, {
    "grpc-node.flow_control_window": 64 * MIB,
    "grpc.max_receive_message_length": -1,
  });
  onTestFinished(() => far.close());
  const value = "x".repeat(MESSAGE_BYTES);
  await here.api.produce({ topic: "t", partition: 0, batches: sealed(value) });
  await here.api.produce({ topic: "t", partition: 1, batches: sealed("for somebody else") });
  let released = 0;
  const consume = here.api.consume.bind(here.api);
  here.api.consume = async function* (request: ConsumeRequest, options: ConsumeOptions = {}) {
    for await (const event of consume(request, options)) {
      if (event.type !== "batches") yield event;
      else {
        const release = () => {
          released++;
          event.release?.();
        };
        yield { ...event, release };
      }
    }
  };
  await far.call("ListTopics", {}); // opens the connection
  relay.stopReading();
  return { ...here, relay, far, released: () => released, refused };
}

/** Starts to read the long message, of which the connection accepts only a part. */
async function beginToRead({ far, api }: Scene): Promise<void> {
  const stream = far.consume({ topic: "t", partition: 0 });
  stream.on("error", () => {});
  stream.resume();
  await eventually(() => api.consumers[0]?.given === 1);
}

test("the data of a call that was ended is freed, and no longer counts, once its connection has accepted it", async () => {
  const here = await scene({ sendBudgetBytes: MESSAGE_BYTES });
  await beginToRead(here);
  let isRead = false;
  const next = collect(here.client.consume({ topic: "t", partition: 1, until: { edge: 2 } })).then((read) => {
    isRead = true;
    return read;
  });
  await eventually(() => here.api.consumers[0]!.ended); // because another one waits
  await settled(() => here.released());
  expect(here.released()).toBe(0);
  expect(isRead).toBe(false);
  here.relay.readOn();
  expect(valuesOf((await next).messages[0].batches)).toEqual(["for somebody else"]);
  expect(here.released()).toBe(2);
  expect(here.refused).toEqual(["call: its reader read nothing for too long"]);
});

test("a connection that accepts none of the data of its ended calls is closed", async () => {
  const here = await scene({ sendBudgetBytes: MESSAGE_BYTES, stalledStreamTimeoutMs: 100 });
  await beginToRead(here);
  const next = await collect(here.client.consume({ topic: "t", partition: 1, until: { edge: 2 } }));
  expect(valuesOf(next.messages[0].batches)).toEqual(["for somebody else"]);
  expect(here.released()).toBe(2);
  expect(here.refused).toEqual([
    "call: its reader read nothing for too long",
    "connection: it did not read the data of calls that have ended",
  ]);
});

/** Answers with a long message whose buffer has headroom for its frame. */
function answering({ api }: Scene) {
  let released = 0;
  const batches = Buffer.alloc(100 + MESSAGE_BYTES, "x").subarray(100);
  api.fetch = async (_: unknown, { budget }: FetchOptions = {}): Promise<FetchResult> => {
    await budget!.take(MESSAGE_BYTES, MESSAGE_BYTES);
    const release = () => {
      released++;
      budget!.giveBack(MESSAGE_BYTES);
    };
    const ends = { nextOffset: 1, logStartOffset: 0, highWatermark: 1, logEndOffset: 1 };
    return { batches, headroomBytes: 100, release, ...ends };
  };
  const room = new Uint8Array(batches.buffer, 0, 100);
  return { batches, released: () => released, isFramed: () => room.some((byte) => byte !== "x".charCodeAt(0)) };
}

test("a fetch's response is not copied, and is freed when it has been sent", async () => {
  const here = await scene({ sendBudgetBytes: MESSAGE_BYTES });
  const { batches, released, isFramed } = answering(here);
  const answer: Promise<Message> = here.far.call("Fetch", { topic: "t", partition: 0 });
  await eventually(isFramed);
  await settled(released);
  expect(released()).toBe(0);
  here.relay.readOn();
  expect((await answer).batches.equals(batches)).toBe(true);
  await eventually(() => released() === 1);
});

test("the response of a fetch that was ended is freed when its connection has ended", async () => {
  const here = await scene({ sendBudgetBytes: MESSAGE_BYTES, stalledStreamTimeoutMs: 100 });
  const { released } = answering(here);
  const answer: Promise<Message> = here.far.call("Fetch", { topic: "t", partition: 0 });
  await eventually(() => released() === 1);
  here.relay.readOn();
  await expect(answer).rejects.toMatchObject({ code: UNAVAILABLE });
});
