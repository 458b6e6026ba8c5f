/** A client with several addresses: dead, silent and dying servers are left for the next one. */
import { once } from "node:events";
import { type AddressInfo, connect as connectTo, createServer, type Socket } from "node:net";
import { type ClientEvent, connect, text } from "@logstore/client";
import { Broker } from "@logstore/core";
import { type LogStoreServer, serve } from "@logstore/server-grpc";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "./free-port.ts";

/** One broker behind two servers. */
async function twoServers(): Promise<[LogStoreServer, LogStoreServer]> {
  const broker = await Broker.open(":memory:");
  const servers = await Promise.all([serve(broker, { port: 0 }), serve(broker, { port: 0 })]);
  onTestFinished(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await broker.close();
  });
  await broker.createTopic({ topic: "t", partitions: 2 });
  return servers;
}

/** Passes connections on to a server until it dies: then they break, and new ones are refused. */
async function mortal(address: string): Promise<{ readonly address: string; die(): void }> {
  const port = Number(address.split(":").at(-1));
  const sockets = new Set<Socket>();
  const proxy = createServer((socket) => {
    const target = connectTo(port, "127.0.0.1");
    for (const [one, other] of [
      [socket, target],
      [target, socket],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {}).on("close", () => other.destroy());
      one.pipe(other);
    }
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const die = () => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(die);
  return { address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`, die };
}

function clientOf(addresses: string[]) {
  const events: ClientEvent[] = [];
  const client = connect(addresses, { onEvent: (event) => events.push(event) });
  onTestFinished(() => client.close({ timeoutMs: 1_000 }));
  return { client, events };
}

test("a dead first address is passed over, and the one that works is kept", async () => {
  const [server] = await twoServers();
  const dead = `127.0.0.1:${await freePort()}`;
  const { client, events } = clientOf([dead, server.address]);
  expect(await client.listTopics()).toMatchObject([{ topic: "t" }]);
  for (let i = 0; i < 3; i++) await client.describeTopic("t");
  expect(events.map(({ type, address }) => [type, address])).toEqual([
    ["lost", dead],
    ["restored", server.address],
  ]);
});

test("an address that accepts connections and says nothing is left", async () => {
  const [server] = await twoServers();
  const silent = createServer((socket) => socket.on("error", () => {}).resume());
  await once(silent.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void silent.close());
  const { client } = clientOf([`127.0.0.1:${(silent.address() as AddressInfo).port}`, server.address]);
  expect(await client.listTopics()).toMatchObject([{ topic: "t" }]);
});

test("a server dies under a producer and a group: each record is read once, in order", async () => {
  const [server, second] = await twoServers();
  const first = await mortal(server.address);
  const { client, events } = clientOf([first.address, second.address]);
  const consumer = client.consumer({ group: "g", topics: ["t"], value: text() });
  const read: string[][] = [[], []];
  const reading = (async () => {
    for await (const { partition, value } of consumer) {
      read[partition]!.push(value);
      if (read[0]!.length + read[1]!.length === 400) break;
    }
  })();
  const producer = client.producer("t");
  const acks: Promise<unknown>[] = [];
  for (let i = 0; i < 400; i++) {
    acks.push(producer.send({ partition: i % 2, value: String(i) }));
    if (i % 10 === 0) await acks.at(-1);
    if (i === 150) first.die();
  }
  await Promise.all(acks);
  await reading;
  const sent = Array.from({ length: 400 }, (_, i) => String(i));
  expect(read).toEqual([sent.filter((_, i) => i % 2 === 0), sent.filter((_, i) => i % 2 === 1)]);
  expect(events.map(({ type }) => type)).toContain("restored");
  expect(events.at(-1)).toMatchObject({ type: "restored", address: second.address });
});

test.each([[[]], [["localhost", "not an address"]], [[5]]])("addresses %j are refused", (addresses) => {
  expect(() => connect(addresses as string[])).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});
