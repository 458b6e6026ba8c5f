/** What a broker says that cannot begin with its NATS servers. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { InvalidArgumentError, UnauthenticatedError, UnavailableError } from "@logstore/codec";
import { JetStreamApiError } from "@nats-io/jetstream";
import { expect, test } from "vitest";
import { JetStreamEngine } from "../jetstream-engine.js";
import { unavailable } from "./failures.js";

async function failure(options: Parameters<typeof JetStreamEngine.open>[0]): Promise<unknown> {
  return JetStreamEngine.open(options).then(
    () => "opened",
    (error: unknown) => error,
  );
}

test("an address that is none, and a file of credentials that is not there, are invalid", async () => {
  const address = await failure({ servers: ["not:an:address"] });
  expect(address).toBeInstanceOf(InvalidArgumentError);
  expect((address as Error).message).toContain("nats://n1:4222");
  const credentials = await failure({ servers: ["nats://127.0.0.1:1"], credentialsFile: "/no/such.creds" });
  expect(credentials).toBeInstanceOf(InvalidArgumentError);
  expect((credentials as Error).message).toContain("/no/such.creds");
});

test("a server that nobody listens at is unavailable", async () => {
  expect(await failure({ servers: ["nats://127.0.0.1:1"] })).toBeInstanceOf(UnavailableError);
});

test("a server that refuses the credentials is no lost quorum", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write('INFO {"server_id":"x","version":"2.11.0","proto":1,"headers":true,"max_payload":1048576}\r\n');
    socket.once("data", () => socket.end("-ERR 'Authorization Violation'\r\n"));
  }).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const error = await failure({ servers: [`nats://127.0.0.1:${(server.address() as AddressInfo).port}`] });
    expect(error).toBeInstanceOf(UnauthenticatedError);
    expect((error as Error).message).not.toContain("quorum");
  } finally {
    server.close();
  }
});

test("several replicas need a cluster", () => {
  const cause = new JetStreamApiError({
    code: 500,
    err_code: 10_074,
    description: "replicas > 1 not supported in non-clustered mode",
  });
  const error = unavailable("topics cannot be read from NATS", cause);
  expect(error).toBeInstanceOf(InvalidArgumentError);
  expect(error.message).toContain("replicas to 1");
});
