/**
 * This build is compatible with release 0.1.0: it opens a broker's directory of that release, and
 * answers a recorded conversation of its client. `tests/released/0.1.0/make.mjs` creates both.
 */
import { cpSync, readFileSync } from "node:fs";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import { connect, text } from "@logstore/client";
import { frameBatches } from "@logstore/codec";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import { expect, onTestFinished, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";

const release = fileURLToPath(new URL("../released/0.1.0/", import.meta.url));

/** This build's server on a copy of the directory. */
async function served() {
  const directory = await temporaryDirectory();
  cpSync(join(release, "directory"), directory, { recursive: true });
  const broker = await Broker.open(directory);
  const server = await serve(broker, { port: 0 });
  onTestFinished(async () => {
    await server.stop();
    await broker.close();
    await removeDirectory(directory);
  });
  return { broker, address: server.address };
}

/** The records that were sent to a partition of "orders", in order. */
function sentTo(partition: number): string[] {
  const values = [0, 1, 2].flatMap((i) =>
    Array.from({ length: 40 }, (_, j) => ({ j, value: `order ${i}.${j} ${"of many words ".repeat(i + 1)}` })),
  );
  return values.filter(({ j }) => j % 3 === partition).map(({ value }) => value);
}

test("a directory of release 0.1.0 is whole: records, commits, snapshots; and it is written to", async () => {
  const { broker, address } = await served();
  const store = broker.topic("orders");
  expect(store.recovery).toEqual([]);
  for await (const event of store.verify()) expect(event).not.toHaveProperty("code");
  await using client = connect(address);
  const read = async (topic: string) => {
    const values: string[][] = [[], [], []];
    const reader = client.reader({ topics: [topic], until: "latest", key: text(), value: text() });
    for await (const { partition, offset, key, value, headers } of reader) {
      expect(key).toMatch(/^customer-[0-4]$/);
      if (partition === 2 && offset === 0) expect(headers.map(({ name }) => name)).toContain("trace");
      values[partition]!.push(value);
    }
    return values;
  };
  const first = "after the snapshot";
  expect(await read("orders")).toEqual([[...sentTo(0), first], sentTo(1).slice(10), sentTo(2)]);

  const committed = await client.fetchOffsets("billing");
  expect(committed.map(({ partition, offset }) => [partition, offset])).toEqual([
    [0, 43],
    [1, 17],
  ]);
  await client.restoreSnapshot("orders", "before", "restored");
  expect(await read("restored")).toEqual([sentTo(0), sentTo(1), sentTo(2)]);

  const ack = await client
    .producer("orders", { value: text() })
    .send({ key: "customer-0", value: "new", partition: 1 });
  expect(ack.offset).toBe(39);
  expect((await read("orders"))[1]!.at(-1)).toBe("new");
});

interface Event {
  readonly call: number;
  readonly path?: string;
  /** Messages in base64. */
  readonly asked?: string;
  readonly answered?: string;
  /** The client has ended the call. */
  readonly ends?: boolean;
  /** -1: the client cancelled it. */
  readonly status?: number;
}

test("a client of release 0.1.0 gets the answers that it got then", async () => {
  const { address } = await served();
  const session = connectHttp2(`http://${address}`);
  onTestFinished(() => session.destroy());
  const calls = new Map<number, Call>();
  const events: Event[] = JSON.parse(readFileSync(join(release, "conversation.json"), "utf8"));
  let [then, now] = ["", ""]; // the member id, which the server chooses
  for (const { call: index, path, asked, answered, ends, status } of events) {
    if (path !== undefined) calls.set(index, new Call(session.request(headersOf(path)), methods[path]!));
    const call = calls.get(index)!;
    if (asked !== undefined) call.ask(withMember(Buffer.from(asked, "base64"), then, now));
    if (ends) call.stream.end();
    if (answered !== undefined) {
      const expected = call.method.responseDeserialize(Buffer.from(answered, "base64")) as Answer;
      const found = whole[call.method.path]!.responseDeserialize(await call.answer()) as Answer;
      if (expected.joined) [then, now] = [expected.joined.member_id, found.joined!.member_id];
      expect(found, call.method.path).toMatchObject(lasting(expected) as object);
    }
    if (status === -1) call.stream.close();
    else if (status !== undefined) expect(await call.status, call.method.path).toBe(status);
  }
});

interface Answer {
  readonly joined?: { readonly member_id: string };
}

const proto = fileURLToPath(new URL("../../packages/protocol/proto/", import.meta.url));
/** @param defaults whether fields that were not sent have their default values, as in clients */
function methodsOf(defaults: boolean) {
  const definitions = loadSync(
    ["log", "admin", "group"].map((name) => `logstore/v1/${name}.proto`),
    { includeDirs: [proto], keepCase: true, longs: Number, enums: String, defaults },
  );
  return Object.fromEntries(
    Object.values(definitions)
      .filter((definition) => !("format" in definition))
      .flatMap((service) => Object.values(service) as MethodDefinition<object, object>[])
      .map((method) => [method.path, method]),
  );
}
const methods = methodsOf(false);
const whole = methodsOf(true);

function headersOf(path: string) {
  return { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
}

function withMember(message: Buffer, then: string, now: string): Buffer {
  return then === "" ? message : Buffer.from(message.toString("latin1").replaceAll(then, now), "latin1");
}

/**
 * The parts of a response that a later release must repeat: all but times, ids that a server
 * chooses, and texts.
 */
function lasting(value: unknown): unknown {
  if (value instanceof Uint8Array) return expect.toSatisfy((found) => recordsOf(found) === recordsOf(value));
  if (Array.isArray(value)) return value.map(lasting);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([name]) => !/^(member_id|message|size_bytes|lag_ms)$|_at$/.test(name));
  return Object.fromEntries(fields.map(([name, field]) => [name, lasting(field)]));
}

function recordsOf(bytes: Uint8Array): string {
  return JSON.stringify([...frameBatches(bytes)].flatMap((batch) => [...batch.verify()]));
}

/** One call, as a sequence of messages. */
class Call {
  readonly stream: ClientHttp2Stream;
  readonly method: MethodDefinition<object, object>;
  readonly status: Promise<number>;
  readonly #answers: Buffer[] = [];
  #waiting: ((answer: Buffer) => void) | undefined;

  constructor(stream: ClientHttp2Stream, method: MethodDefinition<object, object>) {
    this.stream = stream;
    this.method = method;
    this.status = new Promise((resolve) => {
      const take = (headers: object) => {
        const status = (headers as Record<string, unknown>)["grpc-status"];
        if (status !== undefined) resolve(Number(status));
      };
      stream.on("response", take).on("trailers", take);
    });
    let pending = Buffer.alloc(0);
    stream
      .on("error", () => {})
      .on("data", (chunk: Buffer) => {
        pending = Buffer.concat([pending, chunk]);
        while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
          const end = 5 + pending.readUInt32BE(1);
          this.#arrived(pending.subarray(5, end));
          pending = pending.subarray(end);
        }
      });
  }

  ask(message: Buffer): void {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    this.stream.write(Buffer.concat([head, message]));
  }

  async answer(): Promise<Buffer> {
    return this.#answers.shift() ?? new Promise((resolve) => (this.#waiting = resolve));
  }

  #arrived(answer: Buffer): void {
    if (this.#waiting) this.#waiting(answer);
    else this.#answers.push(answer);
    this.#waiting = undefined;
  }
}
