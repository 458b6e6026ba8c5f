/** The effects of a client on its process, and of a cut connection on its group member. */
import { execFile } from "node:child_process";
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { promisify } from "node:util";
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import type { GroupMembership, JoinGroupRequest } from "@logstore/protocol";
import { serve } from "@logstore/server-grpc";
import { expect, onTestFinished, test } from "vitest";

async function openBroker(): Promise<Broker> {
  const broker = await Broker.open(":memory:");
  onTestFinished(() => broker.close());
  await broker.createTopic({ topic: "t", partitions: 2 });
  return broker;
}

test("an unclosed client lets the process exit, and no proxy from the environment is used for localhost", async () => {
  const server = await serve(await openBroker(), { port: 0 });
  onTestFinished(() => server.stop());
  const program = `
    import { connect } from ${JSON.stringify(import.meta.resolve("@logstore/client"))};
    const client = connect(process.argv[1]);
    await client.producer("t").send({ value: "v", partition: 0 });
    await client.append("t", 1, [{ value: "v" }]);
    for await (const { value } of client.reader({ assign: { t: [0, 1] }, until: "latest" })) console.log(value.length);
  `;
  const proxy = "http://127.0.0.1:1";
  const env = { PATH: process.env["PATH"], http_proxy: proxy, https_proxy: proxy, grpc_proxy: proxy };
  const args = ["--input-type=module", "--eval", program, server.address];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env, timeout: 280_000 });
  expect([stdout, stderr]).toEqual(["1\n1\n", ""]);
});

/** Forwards connections to a server. Cutting them does not prevent later ones. */
async function startForwarder(port: number) {
  const sockets = new Set<Socket>();
  const forwarder = createServer((near) => {
    const far = connectSocket(port, "127.0.0.1");
    for (const one of [near, far]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => forwarder.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const one of sockets) one.destroy();
  };
  onTestFinished(() => {
    cut();
    forwarder.close();
  });
  return { address: `127.0.0.1:${(forwarder.address() as { port: number }).port}`, cut };
}

test("a join whose response is lost with the connection leaves no second member", async () => {
  const broker = await openBroker();
  const taken = Promise.withResolvers<void>();
  let joins = 0;
  /** The first join is processed, but its response is never sent. */
  const joinGroup = (request: JoinGroupRequest, options?: object): GroupMembership => {
    const membership = broker.joinGroup(request, options as never);
    if (joins++ > 0) return membership;
    const events = membership[Symbol.asyncIterator]();
    const next = async () => {
      await events.next();
      taken.resolve();
      return new Promise<never>(() => {});
    };
    const silent = { next, return: () => events.return!(), [Symbol.asyncIterator]: () => silent };
    return new Proxy(membership, {
      get(target, name) {
        if (name === Symbol.asyncIterator) return () => silent;
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  const api = new Proxy(broker, {
    get(target, name) {
      if (name === "joinGroup") return joinGroup;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const server = await serve(api, { port: 0 });
  onTestFinished(() => server.stop());
  const { address, cut } = await startForwarder(Number(server.address.split(":").at(-1)));
  const client = connect(address, { onEvent() {} });
  onTestFinished(() => client.close());
  for (const partition of [0, 1]) await client.producer("t").send({ value: "v", partition });
  // A second member would keep its partitions for its whole session, which is longer than this test
  // may take.
  const records = client.consumer({ group: "g", topics: ["t"], sessionTimeoutMs: 300_000 })[Symbol.asyncIterator]();
  const first = records.next();
  await taken.promise;
  cut();
  const seen = [await first, await records.next()].map(({ value }) => value!.partition);
  expect(seen.toSorted()).toEqual([0, 1]);
  expect((await client.describeGroup("g")).members).toHaveLength(1);
  expect(joins).toBe(2);
  await records.return!();
});
