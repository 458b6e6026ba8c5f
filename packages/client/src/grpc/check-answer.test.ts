import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { LogStoreError } from "@logstore/codec";
import { expect, onTestFinished, test } from "vitest";
import { randomFrom, seeds } from "../../test/random.js";
import { LogClient } from "../client.js";
import { GrpcLogApi } from "../index.js";
import { protocolDefinitions } from "./load-proto.js";

/** Numbers that a hostile server may send. */
const numbers = [-1, 0, 1, 2 ** 53 - 1, -(2 ** 53) + 1, 7];
const names = ["", "t", "__proto__", "x".repeat(1000)];

interface HostileStreams {
  readonly consume: () => object[];
  readonly joinGroup: () => object[];
}

/**
 * A server that answers every unary call with `answer`, or never if that is undefined. Its streams
 * send the same message and stay open.
 */
async function startHostile(answer: () => object | undefined, streams?: HostileStreams): Promise<LogClient> {
  const server = new Server();
  const { log, admin, groups } = protocolDefinitions();
  for (const service of [log, admin, groups]) {
    const unary = Object.entries(service).filter(([, method]) => !method.requestStream && !method.responseStream);
    const say = (_: ServerUnaryCall<object, object>, done: sendUnaryData<object>) => {
      const answered = answer();
      if (answered !== undefined) done(null, answered);
    };
    const handlers: Record<string, object> = Object.fromEntries(unary.map(([name]) => [name, say]));
    if (streams !== undefined && service === log) {
      handlers["Consume"] = (call: ServerWritableStream<object, object>) => {
        for (const event of streams.consume()) call.write(event);
      };
    }
    if (streams !== undefined && service === groups) {
      handlers["JoinGroup"] = (call: ServerDuplexStream<object, object>) => {
        call.once("data", () => {
          for (const event of streams.joinGroup()) call.write(event);
        });
        // A member waits some seconds for the server to confirm that it left.
        call.on("data", ({ leave }: { leave?: object | null }) => leave && call.end());
        call.on("error", () => {});
      };
    }
    const offered = Object.entries(service).filter(([name]) => name in handlers);
    server.addService(Object.fromEntries(offered), handlers as never);
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
      Array.fromAsync(client.reader({ assign: { t: [0] }, until: "latest", signal: AbortSignal.timeout(50) })),
      client.deleteRecords("t", 0, "latest"),
      client.fetchOffsets("g"),
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

/** Messages of a server's streams, well-formed or not. */
function events(random: { below(limit: number): number }) {
  const oneOf = <T>(values: readonly T[]): T => values[random.below(values.length)]!;
  const list = <T>(make: () => T): T[] => Array.from({ length: random.below(4) }, make);
  const place = () => ({
    topic: oneOf(["t", ...names]),
    partition: oneOf([0, 1, 4_000_000_000]),
    topicId: oneOf(names),
  });
  const ends = () => ({ highWatermark: oneOf(numbers), logEndOffset: oneOf(numbers) });
  const consumeEvent = () => ({
    ...ends(),
    ...oneOf<() => object>([
      () => ({}),
      () => ({ caughtUp: {} }),
      () => ({ heartbeat: {} }),
      () => ({ logStartMoved: { logStartOffset: oneOf(numbers) } }),
      () => ({ gap: { firstOffset: oneOf(numbers), nextOffset: oneOf(numbers) } }),
      () => ({ batches: Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256))) }),
      () => ({ batches: Buffer.alloc(0) }),
    ])(),
  });
  const joined = () => ({
    joined: { memberId: oneOf(["m", ...names]), memberEpoch: oneOf(numbers), heartbeatIntervalMs: oneOf([0, 1, 1000]) },
  });
  const memberEvent = () =>
    oneOf<() => object>([
      () => ({}),
      joined,
      () => ({ heartbeat: {} }),
      () => ({
        assignment: {
          memberEpoch: oneOf(numbers),
          partitions: list(() => ({ ...place(), committedOffset: oneOf(numbers) })),
          revoking: list(place),
        },
      }),
      () => ({
        offsetsReset: { memberEpoch: oneOf(numbers), offsets: list(() => ({ ...place(), offset: oneOf(numbers) })) },
      }),
    ])();
  return {
    consume: () => list(consumeEvent),
    joinGroup: () => [random.below(3) === 0 ? memberEvent() : joined(), ...list(memberEvent)],
  };
}

test("what streams cannot mean is a typed error, and no offset is one that a server cannot mean", async () => {
  const [seed = 0] = seeds(1);
  const said: object[] = [];
  const { consume, joinGroup } = events(randomFrom(seed));
  const noted = (events: object[]) => {
    said.push(...events);
    return events;
  };
  const client = await startHostile(() => ({ offsets: [{ partition: 0, offset: 0 }], results: [{}] }), {
    consume: () => noted(consume()),
    joinGroup: () => noted(joinGroup()),
  });
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  onTestFinished(() => void process.off("unhandledRejection", onUnhandled));
  for (let round = 0; round < 12; round++) {
    said.length = 0;
    const signal = AbortSignal.timeout(50);
    const reader = client.reader({ assign: { t: [0] }, from: 0, signal });
    const member = client.consumer({ group: "g", topics: ["t"], signal });
    const outcomes = await Promise.allSettled([Array.fromAsync(reader), Array.fromAsync(member)]);
    const context = `seed ${seed}, round ${round}: ${JSON.stringify(said)}`;
    for (const one of outcomes) {
      if (one.status === "fulfilled" || one.reason?.name === "TimeoutError") continue;
      expect(one.reason, context).toBeInstanceOf(LogStoreError);
    }
    expect(reader.position("t", 0), context).toBeGreaterThanOrEqual(0);
    for (const { topic, partition } of member.assignment) {
      expect(member.position(topic, partition) ?? 0, context).toBeGreaterThanOrEqual(0);
    }
    // An error after the end of the loop is reported by close().
    const late = await member.close({ timeoutMs: 10 }).catch((error: unknown) => error);
    if (late !== undefined) expect(late, context).toBeInstanceOf(LogStoreError);
    expect(unhandled, context).toEqual([]);
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
