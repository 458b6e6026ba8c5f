/**
 * Made `directory/` and `conversation.json` once, with the packages of release 0.1.0 installed
 * beside it: a broker's directory, and what the client of that release said to its server, message
 * by message. It is kept as a record of how; later releases have other names for some of these
 * calls.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2, createServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, text } from "@logstore/client";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";

const here = import.meta.dirname;
const directory = join(here, "directory");
const strings = { key: text(), value: text() };

async function fill(client) {
  await client.createTopic("orders", { partitions: 3, segmentBytes: 4096 });
  for (const [i, compression] of ["none", "gzip", "zstd"].entries()) {
    const producer = client.producer("orders", { ...strings, compression });
    const records = Array.from({ length: 40 }, (_, j) => ({
      key: `customer-${j % 5}`,
      value: `order ${i}.${j} ${"of many words ".repeat(i + 1)}`,
      partition: j % 3,
      timestamp: 1_700_000_000_000 + 1000 * i + j,
      headers: [{ name: "trace", value: new TextEncoder().encode(`t${j}`) }],
    }));
    await producer.sendMany(records);
    await producer.close();
  }
  await client.createTopic("empty", { partitions: 1 });
  await client.createSnapshot("orders", "before");
  await client.producer("orders", strings).send({ key: "customer-0", value: "after the snapshot", partition: 0 });
  await client.deleteRecords("orders", 1, 10);
  await consumeSome(client, "billing", 50);
}

async function consumeSome(client, group, count) {
  const consumer = client.consumer({ group, topics: ["orders"], commit: "manual", ...strings });
  let seen = 0;
  for await (const { topic, partition, offset } of consumer) {
    await consumer.commit(topic, partition, offset + 1);
    if (++seen === count) break;
  }
  await consumer.close();
}

/** What a program of that release does, in order. */
async function converse(client) {
  await client.listTopics();
  await client.describeTopic("orders");
  await client.createTopic("letters", { partitions: 1 });
  const producer = client.producer("letters", strings);
  for (const value of ["a", "b", "c"]) await producer.send({ key: "k", value, timestamp: 1_700_000_000_000 });
  await producer.close();
  await client.append("letters", 0, [{ value: "d", timestamp: 1_700_000_000_000 }], { expectedOffset: 3 });
  await client.append("letters", 0, [{ value: "e" }], { expectedOffset: 3 }).catch(() => {});
  await client.listOffsets("letters", [{ partition: 0, position: "earliest" }, { partition: 0, position: "latest" }]);
  const reader = client.consumer({ assign: { letters: [0], orders: [2] }, until: "latest", ...strings });
  for await (const _ of reader);
  await client.describeTopic("absent").catch(() => {});
  const consumer = client.consumer({ group: "billing", topics: ["letters"], commit: "manual", ...strings });
  let seen = 0;
  for await (const { topic, partition, offset } of consumer) {
    await consumer.commit(topic, partition, offset + 1);
    if (++seen === 4) break;
  }
  await consumer.close();
  await client.committedOffsets("billing");
  await client.listGroups();
  await client.describeGroup("billing");
  await client.alterTopicConfig("letters", { retentionMs: 3_600_000 });
  await client.deleteRecords("letters", 0, 2);
  await client.createSnapshot("letters", "now");
  await client.listSnapshots("letters");
  await client.restoreSnapshot("letters", "now", "letters-again");
  await client.deleteTopic("letters-again");
}

/** A proxy that records each message of each call, in the order in which they pass. */
async function recorder(address, events) {
  const target = connectHttp2(`http://${address}`);
  let calls = 0;
  const server = createServer();
  server.on("stream", (from, headers) => {
    const call = calls++;
    const { ":path": path, ":method": method, "content-type": type, te } = headers;
    events.push({ call, path });
    const to = target.request({ ":path": path, ":method": method, "content-type": type, te });
    const record = (side) => {
      let pending = Buffer.alloc(0);
      return (chunk) => {
        pending = Buffer.concat([pending, chunk]);
        while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
          const end = 5 + pending.readUInt32BE(1);
          events.push({ call, [side]: pending.subarray(5, end).toString("base64") });
          pending = pending.subarray(end);
        }
      };
    };
    const [asked, answered] = [record("asked"), record("answered")];
    from.on("data", (chunk) => (asked(chunk), to.write(chunk))).on("end", () => (events.push({ call, ends: true }), to.end()));
    let trailers = {};
    to.on("response", (head) => {
      if (head["grpc-status"] !== undefined) trailers = head; // an error without a message
      const isShort = head["grpc-status"] !== undefined;
      from.respond({ ":status": 200, "content-type": "application/grpc+proto", ...(isShort && plain(head)) }, { waitForTrailers: !isShort, endStream: isShort });
      from.on("wantTrailers", () => from.sendTrailers(plain(trailers)));
    });
    to.on("trailers", (found) => (trailers = found));
    to.on("data", (chunk) => (answered(chunk), from.write(chunk)));
    to.on("end", () => {
      events.push({ call, status: Number(trailers["grpc-status"] ?? -1) });
      if (!from.writableEnded) from.end();
    });
    from.on("close", () => to.close()).on("error", () => {});
    to.on("error", () => {});
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    target.destroy();
  };
  return { address: `127.0.0.1:${server.address().port}`, close };
}

function plain(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(":") && name !== "content-type" && name !== "date"));
}

rmSync(directory, { recursive: true, force: true });
let broker = await Broker.open(directory);
let server = await serve(broker, { port: 0 });
let client = connect(server.address);
await fill(client);
await client.close();
await server.stop();
await broker.close();
rmSync(join(directory, "lock"), { force: true });

const copy = mkdtempSync(join(tmpdir(), "logstore-0.1.0-"));
cpSync(directory, copy, { recursive: true });
broker = await Broker.open(copy);
server = await serve(broker, { port: 0 });
const events = [];
const { address, close } = await recorder(server.address, events);
client = connect(address);
await converse(client);
await client.close();
await new Promise((resolve) => setTimeout(resolve, 200));
close();
await server.stop();
await broker.close();
rmSync(copy, { recursive: true });
writeFileSync(join(here, "conversation.json"), `[\n${events.map((event) => JSON.stringify(event)).join(",\n")}\n]\n`);
process.exit(0);
