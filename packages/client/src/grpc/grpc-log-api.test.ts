/**
 * The client against a plain grpc-js server with generated (de)serializers: the messages on the
 * wire are those of the .proto files.
 */
import { once } from "node:events";
import { constants } from "node:http2";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import {
  PermissionDeniedError,
  QuotaExceededError,
  RecordBatchBuilder,
  UnauthenticatedError,
  UnknownTopicError,
  writeServerHalf,
} from "@logstore/codec";
import { ERROR_DETAIL_TYPE_URL, PRODUCE_HEADROOM_BYTES, STATUS_DETAILS_KEY } from "@logstore/protocol";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { retryDelayMs } from "../common/retry.js";
import { connect, text } from "../index.js";
import { GrpcCalls } from "./grpc-calls.js";
import { GrpcLogApi } from "./grpc-log-api.js";
import { protocolDefinitions } from "./load-proto.js";

// biome-ignore lint/suspicious/noExplicitAny: messages are described by the .proto files
type Any = any;
type Handlers = { [method: string]: (...args: Any[]) => void };

let server: grpc.Server;
let address: string;
let api: GrpcLogApi;
let log: Handlers;
let admin: Handlers;

async function start(port = 0): Promise<void> {
  server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  const { log: LogService, admin: AdminService } = protocolDefinitions();
  const handlers = (names: string[], service: () => Handlers) =>
    Object.fromEntries(names.map((name) => [name, (...args: Any[]) => service()[name]!(...args)]));
  server.addService(
    LogService as Any,
    handlers(Object.keys(LogService), () => log),
  );
  server.addService(
    AdminService as Any,
    handlers(Object.keys(AdminService), () => admin),
  );
  const bound = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), done);
  });
  address = `127.0.0.1:${bound}`;
}

beforeEach(async () => {
  log = {};
  admin = { DescribeServer: (_: Any, callback: Any) => callback(failure(grpc.status.UNIMPLEMENTED)) };
  await start();
  api = new GrpcLogApi(address, { timeoutMs: 5000 });
});

afterEach(() => {
  api.close();
  server.forceShutdown();
});

function sealed(value: string | Uint8Array): Uint8Array {
  const builder = new RecordBatchBuilder({ headroomBytes: PRODUCE_HEADROOM_BYTES });
  builder.append(null, value, 1);
  return builder.seal();
}

function failure(code: number, detail?: object): grpc.ServiceError {
  const metadata = new grpc.Metadata();
  if (detail) {
    const { status, errorDetail } = protocolDefinitions();
    const any = { type_url: ERROR_DETAIL_TYPE_URL, value: errorDetail.encode(detail) };
    metadata.set(STATUS_DETAILS_KEY, Buffer.from(status.encode({ code, message: "m", details: [any] })));
  }
  return Object.assign(new Error("told"), { code, details: "told", metadata }) as grpc.ServiceError;
}

describe("produce", () => {
  const request = (value: string, partition = 0) => {
    return { topic: "t", partition, batches: sealed(value), headroomBytes: PRODUCE_HEADROOM_BYTES } as const;
  };

  test("calls share one stream, in order; answers go to their calls; a refusal is an error of its own", async () => {
    const seen: Any[] = [];
    let streams = 0;
    log["ProduceStream"] = (stream: grpc.ServerDuplexStream<Any, Any>) => {
      streams++;
      stream.on("data", (message) => {
        seen.push(message);
        const offset = seen.length * 10;
        if (seen.length === 2) {
          stream.write({ error: { code: "OUT_OF_ORDER_SEQUENCE", message: "no", topic: "t", expected: 0, actual: 7 } });
        } else {
          stream.write({
            ack: { baseOffset: offset, nextOffset: offset + 1, durability: 1, duplicate: seen.length === 3 },
          });
        }
      });
    };
    const outcomes = await Promise.allSettled([
      api.produce({ ...request("a"), durability: "written" }),
      api.produce({ ...request("b", 5), expectedOffset: 0 }),
      api.produce(request("c")),
    ]);
    expect(outcomes).toMatchObject([
      { value: { baseOffset: 10, nextOffset: 11, durability: "written", duplicate: false } },
      { reason: { code: "OUT_OF_ORDER_SEQUENCE", topic: "t", expected: 0, actual: 7, partition: undefined } },
      { value: { baseOffset: 30, duplicate: true } },
    ]);
    expect(streams).toBe(1);
    expect(seen[0]).toMatchObject({ topic: "t", partition: 0, durability: 1 });
    expect(seen[1]).toMatchObject({ partition: 5, durability: 0, expectedOffset: 0 });
    expect(seen[2].expectedOffset).toBeUndefined();
    expect(Buffer.from(seen[2].batches)).toEqual(Buffer.from(sealed("c")));
  });

  test("a stream that dies fails every call under way; the next call opens another", async () => {
    let streams = 0;
    log["ProduceStream"] = (stream: grpc.ServerDuplexStream<Any, Any>) => {
      const number = ++streams;
      let messages = 0;
      stream.on("data", () => {
        if (number > 2) stream.write({ ack: { baseOffset: 1, nextOffset: 2, durability: 2 } });
        else if (++messages === 3) number === 1 ? stream.emit("error", failure(grpc.status.UNAVAILABLE)) : stream.end();
      });
    };
    for (const _ of ["broken", "ended"]) {
      const outcomes = await Promise.allSettled(["a", "b", "c"].map((value) => api.produce(request(value))));
      expect(outcomes.map((one) => one.status === "rejected" && one.reason.code)).toEqual(Array(3).fill("UNAVAILABLE"));
    }
    expect(await api.produce(request("d"))).toMatchObject({ baseOffset: 1, durability: "flushed" });
    expect(streams).toBe(3);
  });

  test("more than the transport takes at once is written as it drains", async () => {
    log["ProduceStream"] = (stream: grpc.ServerDuplexStream<Any, Any>) => {
      let offset = 0;
      stream.on("data", () => stream.write({ ack: { baseOffset: offset++, nextOffset: offset, durability: 2 } }));
    };
    const big = "x".repeat(100_000);
    const acks = await Promise.all(Array.from({ length: 200 }, () => api.produce(request(big))));
    expect(acks.map(({ baseOffset }) => baseOffset)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  test("the largest batch passes, both ways", async () => {
    let batches: Buffer;
    log["ProduceStream"] = (stream: grpc.ServerDuplexStream<Any, Any>) =>
      stream.on("data", (message) => {
        batches = message.batches;
        stream.write({ ack: { baseOffset: 0, nextOffset: 1, durability: 2 } });
      });
    log["Consume"] = (stream: grpc.ServerWritableStream<Any, Any>) => {
      stream.write({ batches });
      stream.end();
    };
    const largest = sealed(new Uint8Array(16 * 1024 * 1024 - 100));
    await api.produce({ topic: "t", partition: 0, batches: largest });
    for await (const event of api.consume({ topic: "t", partition: 0 })) {
      expect(event.type === "batches" && Buffer.compare(event.batches, largest)).toBe(0);
    }
    expect.assertions(1);
  });

  test("a client that is closed right after a call fails it with a ClosedError", async () => {
    const appending = api.produce(request("a"));
    api.close();
    await expect(appending).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("closing fails what is under way", async () => {
    let isOpen: (value?: unknown) => void;
    const open = new Promise((resolve) => (isOpen = resolve));
    log["ProduceStream"] = (stream: grpc.ServerDuplexStream<Any, Any>) => stream.on("data", () => isOpen());
    const outcome = expect(api.produce(request("a"))).rejects.toMatchObject({ code: "CLOSED" });
    log["Consume"] = (stream: grpc.ServerWritableStream<Any, Any>) => stream.sendMetadata(new grpc.Metadata());
    const reading = api.consume({ topic: "t", partition: 0 }).next();
    const readingEnds = expect(reading).rejects.toMatchObject({ code: "CLOSED" });
    await open;
    await delay(20); // the stream is open, too
    api.close();
    await outcome;
    await readingEnds;
    await expect(api.produce(request("b"))).rejects.toMatchObject({ code: "CLOSED" });
    await expect(api.listTopics()).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("consume", () => {
  test("every event arrives, and the request as it was made", async () => {
    let seen: Any;
    log["Consume"] = (stream: grpc.ServerWritableStream<Any, Any>) => {
      seen = stream.request;
      stream.write({ highWatermark: 8, logEndOffset: 9, batches: sealed("a") });
      stream.write({ highWatermark: 8, logEndOffset: 9, logStartMoved: { logStartOffset: 7 } });
      stream.write({ highWatermark: 8, logEndOffset: 9, heartbeat: {} });
      stream.write({ highWatermark: 8, logEndOffset: 9 }); // an event that this release does not know
      stream.write({ highWatermark: 8, logEndOffset: 9, caughtUp: {} });
      stream.end();
    };
    const request = { topic: "t", partition: 2, from: 3, until: "latest", maxBytes: 100 } as const;
    expect(await Array.fromAsync(api.consume(request))).toEqual([
      { type: "batches", batches: Buffer.from(sealed("a")), headroomBytes: 0, highWatermark: 8, logEndOffset: 9 },
      { type: "logStartMoved", logStartOffset: 7, highWatermark: 8, logEndOffset: 9 },
      { type: "heartbeat", highWatermark: 8, logEndOffset: 9 },
      { type: "caughtUp", highWatermark: 8, logEndOffset: 9 },
    ]);
    expect(seen).toMatchObject({ topic: "t", partition: 2, from: { offset: 3 }, until: { edge: 2 }, maxBytes: 100 });
  });

  test("a reset that asks for calm is a slow consumer's end", async () => {
    log["Consume"] = (stream: Any) => {
      stream.write({ highWatermark: 8, logEndOffset: 9, caughtUp: {} }, () => {
        stream.call.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      });
    };
    const events = Array.fromAsync(api.consume({ topic: "t", partition: 0 }));
    await expect(events).rejects.toMatchObject({ code: "SLOW_CONSUMER" });
  });

  test("a reader that does not read stops the server; leaving cancels the call", async () => {
    const message = { batches: Buffer.alloc(256 * 1024) };
    let written = 0;
    let cancelled: (value?: unknown) => void;
    const isCancelled = new Promise((resolve) => (cancelled = resolve));
    log["Consume"] = (stream: grpc.ServerWritableStream<Any, Any>) => {
      const pump = () => {
        while (!stream.cancelled && written++ < 400 && stream.write(message));
      };
      stream.on("drain", pump);
      stream.on("cancelled", () => cancelled());
      pump();
    };
    const settled = async () => {
      for (let before = -1, same = 0; same < 10; await delay(20)) {
        same = written === before ? same + 1 : 0;
        before = written;
      }
      return written;
    };
    const events = api.consume({ topic: "t", partition: 0 })[Symbol.asyncIterator]();
    await events.next();
    const atFirst = await settled();
    expect(atFirst).toBeLessThan(24); // out of 400: a window of 8, and the server's buffers
    for (let i = 0; i < 20; i++) await events.next();
    expect(await settled()).toBeGreaterThan(atFirst);
    expect(await settled()).toBeLessThan(24 + 24);
    await events.return!(undefined);
    await isCancelled;
  });

  test("a signal ends it quietly, also when nothing comes", async () => {
    log["Consume"] = () => {};
    const controller = new AbortController();
    const reading = Array.fromAsync(api.consume({ topic: "t", partition: 0 }, { signal: controller.signal }));
    await delay(20);
    controller.abort();
    expect(await reading).toEqual([]);
    expect(await Array.fromAsync(api.consume({ topic: "t", partition: 0 }, { signal: controller.signal }))).toEqual([]);
  });

  test("a signal ends it quietly, also after a failure that was not asked for yet", async () => {
    const controller = new AbortController();
    log["Consume"] = (stream: grpc.ServerWritableStream<Any, Any>) => {
      stream.write({ heartbeat: {} });
      stream.emit("error", failure(grpc.status.OUT_OF_RANGE));
    };
    const seen: unknown[] = [];
    for await (const { type } of api.consume({ topic: "t", partition: 0 }, { signal: controller.signal })) {
      seen.push(type);
      await delay(50); // the failure is there
      controller.abort();
    }
    expect(seen).toEqual(["heartbeat"]);
  });

  test("a failure that was not asked for before the client was closed is a ClosedError", async () => {
    log["Consume"] = (stream: grpc.ServerWritableStream<Any, Any>) => {
      stream.write({ heartbeat: {} });
      stream.emit("error", failure(grpc.status.OUT_OF_RANGE));
    };
    const events = api.consume({ topic: "t", partition: 0 })[Symbol.asyncIterator]();
    await events.next();
    await delay(50); // the failure is there
    api.close();
    await expect(events.next()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("a stream that breaks throws after what came before", async () => {
    const seen: unknown[] = [];
    const read = async () => {
      for await (const { type } of api.consume({ topic: "t", partition: 0 })) seen.push(type);
    };
    const detail = { code: "OFFSET_OUT_OF_RANGE", message: "gone", topic: "t", partition: 0, expected: 4, actual: 2 };
    log["Consume"] = (stream: grpc.ServerWritableStream<Any, Any>) => {
      stream.write({ heartbeat: {} });
      setTimeout(() => stream.emit("error", failure(grpc.status.OUT_OF_RANGE, detail)), 20);
    };
    await expect(read()).rejects.toMatchObject({ ...detail, byte: undefined, offset: undefined });
    expect(seen).toEqual(["heartbeat"]);
    log["Consume"] = () => server.forceShutdown();
    await expect(read()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

test("a long-polling fetch whose signal aborts while it waits for a connection ends at once", async () => {
  const abort = new AbortController();
  admin["DescribeServer"] = (_: Any, callback: Any) => {
    abort.abort(new Error("enough"));
    callback(null, {});
  };
  log["Fetch"] = () => {}; // never answers
  const fetching = api.fetch({ topic: "t", partition: 0, maxWaitMs: 60_000 }, { signal: abort.signal });
  await expect(fetching).rejects.toThrow("enough");
});

describe("several addresses", () => {
  test("a stream for which the server was left before it could be opened is retriable", async () => {
    const calls = new GrpcCalls([address, "127.0.0.1:1"], { onEvent() {} });
    onTestFinished(() => calls.close());
    const { server: first, release } = await calls.streamPlace();
    release();
    const opening = calls.openLongStream(protocolDefinitions().log["ProduceStream"] as Any);
    calls.toError(failure(grpc.status.UNAVAILABLE), first);
    const error = await opening.then(
      () => expect.unreachable(),
      (error: unknown) => calls.toError(error),
    );
    expect(error).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("a long-polling fetch is tried again at the next address", async () => {
    const [first, firstAddress] = [server, address];
    await start();
    let calls = 0;
    log["Fetch"] = (_: Any, callback: Any) => {
      if (++calls === 1) first.forceShutdown();
      else callback(null, { nextOffset: 7, highWatermark: 7, logEndOffset: 7 });
    };
    const both = new GrpcLogApi([firstAddress, address], { timeoutMs: 2_000, onEvent() {} });
    onTestFinished(() => both.close());
    expect(await both.fetch({ topic: "t", partition: 0, maxWaitMs: 100 })).toMatchObject({ nextOffset: 7 });
  });

  test("a server is not left because it does not answer a last attempt that has hardly any time", async () => {
    const answered = (_: Any, callback: Any) => callback(null, { topics: [] });
    const slower = failure(grpc.status.RESOURCE_EXHAUSTED, { code: "QUOTA_EXCEEDED", message: "", retryAfterMs: 1 });
    const events: unknown[] = [];
    const client = connect([address, "127.0.0.1:1"], { timeoutMs: 2_000, onEvent: (event) => events.push(event) });
    onTestFinished(() => client.close());
    admin["ListTopics"] = answered;
    await client.listTopics();
    admin["ListTopics"] = (_: Any, callback: Any) => {
      admin["ListTopics"] = () => {}; // never answers
      setTimeout(callback, 1_200, slower);
    };
    await expect(client.listTopics()).rejects.toMatchObject({ code: "QUOTA_EXCEEDED" });
    admin["ListTopics"] = answered;
    expect(await client.listTopics()).toEqual([]);
    expect(events).toEqual([]); // the next address, which nobody answers, was not used
  });
});

describe("other calls", () => {
  const described = {
    topic: "t",
    topicId: "t-id",
    partitioner: "fnv1a-32",
    partitions: [{ partition: 0, logStartOffset: 1, highWatermark: 2, logEndOffset: 2 ** 53 - 1 }],
    config: { durability: "written", retentionMs: 5 },
    effectiveConfig: { durability: "flushed", maxBatchBytes: 1_000 },
    durabilities: ["written", "flushed"],
  };
  const describedMessage = {
    ...described,
    config: { durability: 1, retentionMs: 5 },
    effectiveConfig: { durability: 2, maxBatchBytes: 1_000 },
    durabilities: [1, 2, 9],
  };

  test("topics and offsets", async () => {
    const bounds = { logStartOffset: 1, highWatermark: 2, logEndOffset: 3 };
    const seen: Any[] = [];
    const answer = (response: object) => (call: Any, callback: Any) => {
      seen.push(call.request);
      callback(null, response);
    };
    admin["CreateTopic"] = answer({ topic: describedMessage });
    admin["DescribeTopic"] = answer({ topic: describedMessage });
    admin["ListTopics"] = answer({ topics: [{ topic: "t", topicId: "t-id", partitionCount: 1 }] });
    log["ListOffsets"] = answer({
      offsets: [
        { partition: 1, offset: 5, ...bounds },
        { partition: 0, offset: 0, ...bounds },
      ],
    });
    expect(await api.createTopic({ topic: "t", partitions: 1 })).toEqual(described);
    expect(await api.describeTopic("t")).toEqual(described);
    expect(await api.listTopics()).toEqual([{ topic: "t", topicId: "t-id", partitionCount: 1 }]);
    const partitions = [
      { partition: 1, position: { time: 8 } } as const,
      { partition: 0, position: "earliest" } as const,
    ];
    expect(await api.listOffsets({ topic: "t", partitions })).toEqual([
      { partition: 1, offset: 5, ...bounds },
      { partition: 0, offset: 0, ...bounds },
    ]);
    expect(seen[0]).toMatchObject({ topic: "t", partitions: 1 });
    expect(seen[3].partitions).toMatchObject([{ position: { time: 8 } }, { position: { edge: 1 } }]);
  });

  test("errors come back as they were; without a detail, by their status", async () => {
    let error: grpc.ServiceError;
    admin["DescribeTopic"] = (_: Any, callback: Any) => callback(error);
    error = failure(grpc.status.NOT_FOUND, { code: "UNKNOWN_TOPIC", message: "no topic t", topic: "t" });
    const caught = await api.describeTopic("t").catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(UnknownTopicError);
    expect(caught).toMatchObject({ message: "no topic t", topic: "t", partition: undefined });
    error = failure(grpc.status.INVALID_ARGUMENT);
    await expect(api.describeTopic("t")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    error = failure(grpc.status.PERMISSION_DENIED);
    await expect(api.describeTopic("t")).rejects.toBeInstanceOf(PermissionDeniedError);
    error = failure(grpc.status.UNAUTHENTICATED);
    await expect(api.describeTopic("t")).rejects.toBeInstanceOf(UnauthenticatedError);
    error = failure(grpc.status.UNKNOWN);
    await expect(api.describeTopic("t")).rejects.toMatchObject({ code: "INTERNAL" });
    error = failure(grpc.status.INTERNAL, { code: "FROM_THE_FUTURE", message: "x" });
    await expect(api.describeTopic("t")).rejects.toMatchObject({ code: "INTERNAL", message: "FROM_THE_FUTURE: x" });
    error = failure(grpc.status.NOT_FOUND);
    error.metadata.set(STATUS_DETAILS_KEY, Buffer.from([255, 255]));
    await expect(api.describeTopic("t")).rejects.toMatchObject({ code: "INTERNAL" });
  });

  test.each([
    "Received RST_STREAM with code 2 (Internal server error)",
    "Failed to start HTTP/2 stream with error The session has been destroyed",
    "Write error: write after end",
  ])("a connection that broke is a server that cannot be reached: %s", async (details) => {
    let calls = 0;
    const broken = Object.assign(failure(grpc.status.INTERNAL), { details });
    admin["ListTopics"] = (_: Any, callback: Any) =>
      ++calls === 1 ? callback(broken) : callback(null, { topics: [] });
    expect(await api.listTopics()).toEqual([]); // the call was retried
    expect(calls).toBe(2);
    admin["DescribeTopic"] = (_: Any, callback: Any) => callback(failure(grpc.status.INTERNAL));
    await expect(api.describeTopic("t")).rejects.toMatchObject({ code: "INTERNAL" });
  });

  test("an unavailable server is tried again, for a time", async () => {
    let calls = 0;
    admin["ListTopics"] = (_: Any, callback: Any) =>
      ++calls < 3 ? callback(failure(grpc.status.UNAVAILABLE)) : callback(null, { topics: [] });
    expect(await api.listTopics()).toEqual([]);
    expect(calls).toBe(3);

    const reserved = createServer().listen(0, "127.0.0.1");
    await once(reserved, "listening");
    const { port } = reserved.address() as { port: number };
    reserved.close();
    const nowhere = connect(`127.0.0.1:${port}`, { timeoutMs: 300 });
    await expect(nowhere.listTopics()).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    await nowhere.close();

    admin["ListTopics"] = () => {}; // never answers
    const impatient = connect(address, { timeoutMs: 100 });
    await expect(impatient.listTopics()).rejects.toMatchObject({ code: "UNAVAILABLE", message: /in time/ });
    await impatient.close();
  });
});

test("a quota is waited for, as long as the server says and the time allows", async () => {
  let answers: (number | undefined)[] = [];
  let calls = 0;
  admin["ListTopics"] = (_: Any, callback: Any) => {
    calls++;
    const retryAfterMs = answers.shift();
    if (retryAfterMs === undefined) return callback(null, { topics: [] });
    callback(failure(grpc.status.RESOURCE_EXHAUSTED, { code: "QUOTA_EXCEEDED", message: "slower", retryAfterMs }));
  };
  answers = [1, 1];
  expect(await api.listTopics()).toEqual([]);
  expect(calls).toBe(3);
  answers = [60_000];
  const refused = api.listTopics();
  await expect(refused).rejects.toBeInstanceOf(QuotaExceededError);
  await expect(refused).rejects.toMatchObject({ retryAfterMs: 60_000 });
  expect(calls).toBe(4);
});

test("a wait is never shorter than the server asked for", () => {
  const exceeded = new QuotaExceededError("slower", { retryAfterMs: 5_000 });
  expect(retryDelayMs(0, exceeded)).toBe(5_000);
  expect(retryDelayMs(20, exceeded)).toBe(5_000);
  expect(retryDelayMs(20, undefined)).toBeGreaterThanOrEqual(1_000);
});

test("credentials that make no sense are refused before anything is sent", async () => {
  expect(() => connect(address, { token: "secret" })).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining("TLS") }),
  );
  expect(() => connect(address, { tls: { caFile: "/nowhere/ca.pem" } })).toThrow("tls.caFile");
  expect(() => connect(address, { tls: { cert: "no PEM", key: "no PEM" } })).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }),
  );
});

test("producer and consumer carry on when the server comes back", async () => {
  const stored: Buffer[] = [];
  log["ListOffsets"] = (_: Any, callback: Any) => callback(null, { offsets: [{}] });
  admin["DescribeTopic"] = (_: Any, callback: Any) => callback(null, { topic: { partitions: [{ partition: 0 }] } });
  log["ProduceStream"] = (stream: grpc.ServerDuplexStream<Any, Any>) =>
    stream.on("data", ({ batches }) => {
      const baseOffset = stored.length;
      writeServerHalf(batches, { baseOffset, appendTime: 1, flushedUpTo: 0 });
      stored.push(batches);
      stream.write({ ack: { baseOffset, nextOffset: baseOffset + 1, durability: 2 } });
    });
  log["Consume"] = (stream: grpc.ServerWritableStream<Any, Any>) => {
    let next = stream.request.from.offset;
    const timer = setInterval(() => {
      if (next < stored.length) stream.write({ batches: stored[next++], highWatermark: stored.length });
    }, 5);
    for (const event of ["cancelled", "close"]) stream.on(event, () => clearInterval(timer));
  };
  const client = connect(address);
  const producer = client.producer("t");
  const records = client.reader({ assign: { t: [0] }, from: 0, value: text() })[Symbol.asyncIterator]();
  for (const value of ["before", "between", "after"]) {
    if (value !== "before") server.forceShutdown();
    const sending = producer.send({ value });
    if (value !== "before") await start(Number(address.split(":")[1]));
    expect((await sending).offset).toBe(stored.length - 1);
    expect((await records.next()).value).toMatchObject({ value, offset: stored.length - 1 });
  }
  await client.close();
});
