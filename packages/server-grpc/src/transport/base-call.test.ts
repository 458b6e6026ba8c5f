/** The effect of a grpc-js release that keeps the internals of its calls under other names. */
import { MessageJoiner } from "@logstore/protocol";
import { afterEach, expect, test, vi } from "vitest";
import { sealed, valuesOf } from "../../test/fake-log.js";
import { collect } from "../../test/foreign-client.js";
import { home } from "../../test/home.js";
import type { BaseCall } from "./base-call.js";

const release = vi.hoisted(() => ({ hidesInternals: false, found: [] as unknown[] }));
vi.mock("./base-call.js", async (importOriginal) => {
  const { baseCallOf } = await importOriginal<typeof import("./base-call.js")>();
  return {
    baseCallOf: (call: object) => {
      const found = release.hidesInternals ? baseCallOf({}) : baseCallOf(call);
      release.found.push(found);
      return found;
    },
  };
});
const { resetStream } = await import("./call-internals.js");

afterEach(() => {
  release.hidesInternals = false;
  release.found = [];
});

// If this test fails on a new release, the users of base-call.ts need other names.
test("grpc-js keeps the internals of calls under the expected names", async () => {
  const onWarning = vi.fn();
  const { client } = await home({ onWarning });
  await client.call("ListTopics", {});
  expect(release.found.length).toBeGreaterThan(3);
  expect(release.found).not.toContain(undefined);
  expect(onWarning).not.toHaveBeenCalled();
});

test("appends on a stream are received in place", async () => {
  const { client } = await home();
  const stream = client.produceStream();
  stream.end({ topic: "t", partition: 0, batches: sealed("a") });
  await collect(stream);
  expect((release.found.at(-1) as BaseCall).decoder).toBeInstanceOf(MessageJoiner);
});

test("without them a server warns once, and produces, consumes and fetches", async () => {
  release.hidesInternals = true;
  const onWarning = vi.fn();
  const { client, api } = await home({ onWarning });
  const bounds = { logStartOffset: 0, highWatermark: 3, logEndOffset: 3 };
  api.fetch = async () => ({ ...bounds, nextOffset: 3, batches: sealed("c"), headroomBytes: 0 });
  await client.call("Produce", { topic: "t", partition: 0, batches: sealed("a", "b") });
  const stream = client.produceStream();
  stream.write({ topic: "t", partition: 0, batches: sealed("c") });
  stream.end();
  expect((await collect(stream)).messages).toMatchObject([{ ack: { baseOffset: 2 } }]);
  const { messages } = await collect(client.consume({ topic: "t", partition: 0, until: { offset: 3 } }));
  expect(messages.flatMap(({ batches }) => (batches ? valuesOf(batches) : []))).toEqual(["a", "b", "c"]);
  const fetched = await client.call("Fetch", { topic: "t", partition: 0, from: { offset: 2 } });
  expect(valuesOf(fetched["batches"] as Buffer)).toEqual(["c"]);
  expect(onWarning.mock.calls.map(([message]) => message)).toEqual([expect.stringContaining("@grpc/grpc-js")]);
});

test("without them a call is ended by its public methods", () => {
  release.hidesInternals = true;
  const sendStatus = vi.fn();
  resetStream({ sendStatus });
  expect(sendStatus).toHaveBeenCalledWith(expect.objectContaining({ code: 8 }));
  const emit = vi.fn();
  resetStream({ emit });
  expect(emit).toHaveBeenCalledWith("error", expect.objectContaining({ code: 8 }));
});
