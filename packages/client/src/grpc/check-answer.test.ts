import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { LogStoreError } from "@logstore/codec";
import { expect, onTestFinished, test } from "vitest";
import { randomFrom, seeds } from "../../test/random.js";
import { GrpcLogApi, LogClient } from "../index.js";
import { protocolDefinitions } from "./load-proto.js";

/** What a hostile server may put into a number. */
const numbers = [-1, 0, 1, 2 ** 53 - 1, -(2 ** 53) + 1, 7];
const names = ["", "t", "__proto__", "x".repeat(1000)];

/** A server whose every unary answer is what `answer` says; none, where that is undefined. */
async function startHostile(answer: () => object | undefined): Promise<LogClient> {
  const server = new Server();
  const { log, admin, groups } = protocolDefinitions();
  for (const service of [log, admin, groups]) {
    const unary = Object.entries(service).filter(([, method]) => !method.requestStream && !method.responseStream);
    const say = (_: ServerUnaryCall<object, object>, done: sendUnaryData<object>) => {
      const answered = answer();
      if (answered !== undefined) done(null, answered);
    };
    server.addService(Object.fromEntries(unary), Object.fromEntries(unary.map(([name]) => [name, say])));
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
  const api = new GrpcLogApi(`127.0.0.1:${port}`, { timeoutMs: 2000, onEvent() {} });
  onTestFinished(() => {
    api.close();
    server.forceShutdown();
  });
  return new LogClient(api, () => api.close());
}

test("offsets that a server cannot mean, and too many or too few answers, are typed errors", async () => {
  let answer: object = {};
  const client = await startHostile(() => answer);
  const [seed = 0] = seeds(1);
  const random = randomFrom(seed);
  const oneOf = <T>(values: readonly T[]): T => values[random.below(values.length)]!;
  const list = <T>(make: () => T): T[] => Array.from({ length: random.below(4) }, make);
  const offset = () => oneOf(numbers);
  for (let round = 0; round < 40; round++) {
    answer = {
      offsets: list(() => ({
        topic: oneOf(names),
        partition: oneOf([0, 1, 4_000_000_000]),
        offset: offset(),
        logStartOffset: offset(),
        highWatermark: offset(),
        logEndOffset: offset(),
      })),
      topic: { topic: "t", partitions: list(() => ({ partition: oneOf([0, 1, 5]) })) },
      results: list(() => ({})),
      logStartOffset: offset(),
    };
    const context = `seed ${seed}, round ${round}: ${JSON.stringify(answer)}`;
    const outcomes = await Promise.allSettled([
      client.listOffsets("t", [{ partition: 0, position: "latest" }]),
      client.describeTopic("t"),
      client.producer("t", { deliveryTimeoutMs: 1 }).send({ value: "v" }),
      Array.fromAsync(client.consumer({ assign: { t: [0] }, until: "latest", signal: AbortSignal.timeout(50) })),
      client.deleteRecords("t", 0, "latest"),
      client.committedOffsets("g"),
      client.listTopics(),
      client.listGroups(),
      client.describeGroup("g"),
    ]);
    for (const one of outcomes) {
      if (one.status === "fulfilled" || one.reason?.name === "TimeoutError") continue;
      expect(one.reason, context).toBeInstanceOf(LogStoreError);
    }
    const [found, , , , logStart] = outcomes as PromiseFulfilledResult<unknown>[];
    if (found!.status === "fulfilled") {
      const [one, ...more] = found!.value as { offset: number }[];
      expect(more, context).toEqual([]);
      expect(one!.offset, context).toBeGreaterThanOrEqual(0);
    }
    if (logStart!.status === "fulfilled") expect(logStart!.value, context).toBeGreaterThanOrEqual(0);
  }
});

test("a client that is closed ends the calls under way, also where the server does not answer", async () => {
  const client = await startHostile(() => undefined);
  const topics = client.listTopics();
  topics.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 50));
  await client.close();
  await expect(topics).rejects.toMatchObject({ code: "CLOSED" });
});
