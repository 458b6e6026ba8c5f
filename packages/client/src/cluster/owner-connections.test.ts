/** Connections to owners: opened when needed, bounded, tried again, and closed when not used. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { protocolDefinitions } from "../grpc/load-proto.js";
import { OwnerConnections } from "./owner-connections.js";

// biome-ignore lint/suspicious/noExplicitAny: messages are described by the .proto files
type Any = any;

beforeEach(
  () =>
    void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] }),
);
afterEach(() => void vi.useRealTimers());

async function startServer(port = 0) {
  const server = new grpc.Server();
  const { admin } = protocolDefinitions();
  server.addService(admin as Any, { DescribeServer: (_: Any, done: Any) => done(null, { limits: {} }) });
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, found) =>
      error ? reject(error) : resolve(found),
    ),
  );
  onTestFinished(() => server.forceShutdown());
  return { server, address: `127.0.0.1:${bound}` };
}

function connections() {
  const owners = new OwnerConnections({});
  onTestFinished(() => owners.close());
  return owners;
}

test("a connection is used once it has answered, and closed after a minute without calls", async () => {
  const { address } = await startServer();
  const owners = connections();
  expect(owners.at(address)).toBe("connecting");
  await owners.settled(address);
  const first = owners.at(address);
  if (typeof first === "string") throw new Error(first);
  first.enter();
  vi.advanceTimersByTime(200_000);
  expect(owners.at(address)).toBe(first); // a call is under way
  first.leave();
  vi.advanceTimersByTime(50_000);
  expect(owners.at(address)).toBe(first);
  vi.advanceTimersByTime(71_000);
  expect(owners.at(address)).toBe("connecting");
  await expect(first.log.describeServer()).rejects.toMatchObject({ code: "CLOSED" });
});

test("an address without a server is tried again after growing pauses", async () => {
  const { server, address } = await startServer();
  server.forceShutdown();
  const owners = connections();
  const reachAfter = async (pauseMs: number) => {
    vi.advanceTimersByTime(pauseMs);
    owners.at(address);
    await owners.settled(address);
    return owners.at(address);
  };
  expect(await reachAfter(0)).toBe("unreachable");
  expect(await reachAfter(1_001)).toBe("unreachable");
  await startServer(Number(address.split(":")[1]));
  expect(await reachAfter(1_001)).toBe("unreachable"); // the pause is 2 s now
  expect(await reachAfter(1_001)).toBeTypeOf("object");
});

test("there is a limit of connections, and calls beyond it go to a seed", async () => {
  const owners = connections();
  const reached = Array.from({ length: 101 }, (_, i) => owners.at(`127.0.0.1:${i + 1}`));
  expect(reached.slice(0, 100)).toEqual(Array(100).fill("connecting"));
  expect(reached[100]).toBe("unreachable");
});

test("an address that cannot be one is unreachable", async () => {
  const owners = connections();
  owners.at("http://a");
  await owners.settled("http://a");
  expect(owners.at("http://a")).toBe("unreachable");
});

test("closing ends a connection that is being tried out", async () => {
  const silent = createServer(); // accepts connections, and answers nothing
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void silent.close());
  const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const owners = connections();
  expect(owners.at(address)).toBe("connecting");
  const settled = owners.settled(address);
  await once(silent, "connection");
  owners.close();
  await settled; // not after the time limit, which the clock of this test never reaches
});
