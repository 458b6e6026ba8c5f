import { expect, test } from "vitest";
import { sealed } from "../test/fake-log.js";
import { collect, failure } from "../test/foreign-client.js";
import { eventually, home } from "../test/home.js";
import { serve } from "./server.js";
import { RunningCalls } from "./services/running-calls.js";

const UNAVAILABLE = 14;

test("new calls are refused while those in progress complete", async () => {
  const answer = Promise.withResolvers<[]>();
  let asked = 0;
  const { client, server } = await home({
    api: {
      listTopics: () => {
        asked++;
        return answer.promise;
      },
    },
  });
  const underWay = client.call("ListTopics", {});
  await eventually(() => asked === 1);
  const stopped = server.stop();
  const error = await failure(client.call("ListTopics", {}));
  expect([error.code, error.details]).toEqual([UNAVAILABLE, "the server is stopping: connect again"]);
  const stream = client.produceStream();
  const refused = collect(stream);
  stream.write({ topic: "t", partition: 0, batches: sealed("a") });
  expect(await refused).toMatchObject({ messages: [], error: { code: UNAVAILABLE } });
  expect((await collect(client.consume({ topic: "t" }))).error?.code).toBe(UNAVAILABLE);
  answer.resolve([]);
  expect(await underWay).toEqual({ topics: [] });
  await stopped;
  expect(asked).toBe(1);
});

test("calls that do not end are cancelled after the drain timeout", async () => {
  const { client, server } = await home({ drainTimeoutMs: 30, api: { listTopics: () => new Promise(() => {}) } });
  const error = failure(client.call("ListTopics", {}));
  await client.call("DescribeTopic", { topic: "t" });
  await server.stop();
  expect((await error).code).toBe(UNAVAILABLE);
});

test("a reader that never reads does not delay a stop any further", async () => {
  const { client, api, server } = await home({ drainTimeoutMs: 30 });
  for (let i = 0; i < 20; i++) await api.produce({ topic: "t", partition: 0, batches: sealed("x".repeat(200_000)) });
  const stream = client.consume({ topic: "t" });
  stream.on("error", () => {});
  await eventually(() => (api.consumers[0]?.given ?? 0) > 1);
  await server.stop();
});

test("a second stop has no further effect, and the port is free afterwards", async () => {
  const { api, server } = await home();
  expect(server.stop()).toBe(server.stop());
  await server.stop();
  await server[Symbol.asyncDispose]();
  await using again = await serve(api, { port: Number(server.address.split(":")[1]) });
  expect(again.address).toBe(server.address);
});

test("a stop waits for the last call and no longer", async () => {
  const calls = new RunningCalls();
  const call = Promise.withResolvers<void>();
  let told = 0;
  const running = calls.run(
    () => call.promise,
    () => told++,
  );
  await calls.run(
    async () => {},
    () => told++,
  );
  let stopped = false;
  const stop = calls.stop().then(() => {
    stopped = true;
  });
  await new Promise(setImmediate);
  expect([told, stopped]).toEqual([1, false]);
  await expect(calls.run(async () => {})).rejects.toMatchObject({ code: "UNAVAILABLE" });
  call.resolve();
  await Promise.all([running, stop]);
});
