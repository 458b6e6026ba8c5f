/** Limits on callers without credentials. */
import { createConnection } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type ForeignClient, failure } from "../../test/foreign-client.js";
import { home } from "../../test/home.js";
import { allow, tlsHome, tokensOf } from "../../test/tls-home.js";
import { loadProto } from "../services/load-proto.js";
import { MAX_STRANGER_CALLS, MAX_STRANGER_CONNECTIONS } from "./strangers.js";

const RESOURCE_EXHAUSTED = 8;
// biome-ignore lint/suspicious/noExplicitAny: a foreign client takes any method.
const { Check, Watch } = loadProto().healthService as Record<string, any>;

test("connections that are held by health calls without credentials are limited, and others are accepted", async () => {
  const served = await tlsHome({ access: { tokens: tokensOf("a"), rules: [allow("a", ["*"], "*")] } });
  const check = (client: ForeignClient) => client.other(Check, { service: "" });
  for (let i = 0; i < MAX_STRANGER_CONNECTIONS; i++) await check(served.client({}));
  expect((await failure(check(served.client({})))).code).toBe(RESOURCE_EXHAUSTED);
  expect(await served.client({ token: "a" }).call("ListTopics", {})).toBeDefined();
});

test("streams without credentials are limited, and counted until they end", async () => {
  const served = await tlsHome({ access: { tokens: tokensOf("a"), rules: [] } });
  const client = served.client({});
  const watches = Array.from({ length: MAX_STRANGER_CALLS + 5 }, () => {
    const call = client.otherStream(Watch);
    call.end({ service: "" });
    const ended = new Promise<number>((resolve) => call.on("error", ({ code }: { code: number }) => resolve(code)));
    call.on("data", () => {});
    return { call, ended };
  });
  const refused = await Promise.all(watches.slice(MAX_STRANGER_CALLS).map(({ ended }) => ended));
  expect(new Set(refused)).toEqual(new Set([RESOURCE_EXHAUSTED]));
  for (const { call } of watches) call.cancel();
  await expect.poll(() => client.other(Check, { service: "" })).toEqual({ status: "SERVING" });
});

test('a quota of "*" also applies to callers without credentials, for each address', async () => {
  const rules = [allow("anonymous", ["*"], "*")];
  const { client } = await home({ access: { rules, quotas: [{ principals: ["*"], requestsPerSecond: 1 }] } });
  await client.call("ListTopics", {});
  expect((await failure(client.call("ListTopics", {}))).code).toBe(RESOURCE_EXHAUSTED);
});

test("connections of one address are limited; a tenth is kept for others", async () => {
  const refused: string[] = [];
  const { server } = await home({ maxConnections: 20, onRefused: ({ reason }) => void refused.push(reason) });
  const port = Number(server.address.split(":").at(-1));
  const sockets = Array.from({ length: 30 }, () => createConnection(port, "127.0.0.1").on("error", () => {}));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await expect.poll(() => refused.length).toBe(30 - 18);
  expect(new Set(refused)).toEqual(new Set(["too many connections from its address"]));
  const other = createConnection({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
  onTestFinished(() => void other.destroy());
  await new Promise((resolve) => other.once("connect", resolve));
  expect(refused.length).toBe(30 - 18);
});

test("a name of any length is refused before it is stored, compared or reported", async () => {
  const served = await tlsHome({ access: { tokens: tokensOf("a"), rules: [allow("a", ["*"], "x*")] } });
  const client = served.client({ token: "a" });
  const error = await failure(client.call("DescribeTopic", { topic: "x".repeat(10_000) }));
  expect([error.code, error.details]).toEqual([3, "a name of 10000 characters is longer than any valid name"]);
  expect(error.metadata.get("grpc-status-details-bin").join("").length).toBeLessThan(8_000);
});
