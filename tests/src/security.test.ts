/** A client and a server with access control. */
import { createHash } from "node:crypto";
import { connect, type LogClient } from "@logstore/client";
import { Broker } from "@logstore/core";
import { type AccessConfig, type LogStoreServer, type RuleConfig, serve } from "@logstore/server-grpc";
import { exportSPKI, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { CertificateAuthority, directoryWith } from "../../packages/server-grpc/test/certificates.ts";
import { eventually } from "./eventually.ts";

let ca: CertificateAuthority;
let files: Awaited<ReturnType<typeof directoryWith>>;

beforeAll(async () => {
  ca = await CertificateAuthority.create();
  const { cert, key } = await ca.issue(["server"]);
  files = await directoryWith({ "cert.pem": cert, "key.pem": key, "ca.pem": ca.cert });
});

afterAll(() => files.remove());

async function start(access: AccessConfig): Promise<{ server: LogStoreServer; broker: Broker }> {
  const broker = await Broker.open(":memory:");
  await broker.createTopic({ topic: "t", partitions: 1 });
  const server = await serve(broker, {
    port: 0,
    tls: {
      certFile: files.path("cert.pem"),
      keyFile: files.path("key.pem"),
      clientCaFile: files.path("ca.pem"),
      clientCertificates: "optional",
    },
    access,
    onWarning: () => {},
  });
  onTestFinished(async () => {
    await server.stop();
    await broker.close();
  });
  return { server, broker };
}

function client(server: LogStoreServer, options: Parameters<typeof connect>[1]): LogClient {
  const one = connect(server.address, { timeoutMs: 10_000, ...options });
  onTestFinished(() => one.close());
  return one;
}

const tls = () => ({ caFile: files.path("ca.pem") });
const tokens = (...names: string[]) =>
  names.map((principal) => ({ principal, sha256: createHash("sha256").update(principal).digest("hex") }));
const allow = (principal: string, ...operations: RuleConfig["operations"]) => ({
  principals: [principal],
  operations,
  topics: ["t"],
});

test("a certificate works like a token, and errors have the right codes", async () => {
  const { server } = await start({
    tokens: tokens("reader"),
    rules: [allow("writer", "produce"), allow("reader", "consume")],
  });
  const pair = await ca.issue(["writer"]);
  const writer = client(server, { tls: { ...tls(), ...pair } });
  expect(await writer.producer("t").send({ value: "a" })).toMatchObject({ offset: 0 });
  await expect(writer.deleteTopic("t")).rejects.toMatchObject({ code: "PERMISSION_DENIED", topic: "t" });
  const denied = writer.reader({ assign: { t: [0] }, until: "latest" });
  await expect(denied[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });

  const reader = client(server, { tls: tls(), token: async () => "reader" });
  const values: string[] = [];
  for await (const { value } of reader.reader({ assign: { t: [0] }, until: "latest" })) {
    values.push(new TextDecoder().decode(value!));
  }
  expect(values).toEqual(["a"]);
  await expect(reader.producer("t").send({ value: "b" })).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  await expect(client(server, { tls: tls() }).listTopics()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  await expect(client(server, { tls: tls(), token: "x" }).listTopics()).rejects.toMatchObject({
    code: "UNAUTHENTICATED",
  });
});

test("streams outlive their tokens if the client can get new ones", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  await files.write("issuer.pem", await exportSPKI(publicKey));
  const { server } = await start({
    jwt: { issuer: "i", audience: "logstore", publicKeyFile: files.path("issuer.pem") },
    rules: [allow("worker", "produce", "consume")],
  });
  let issued = 0;
  // The server allows a clock skew of five seconds: these tokens are valid for two more.
  const token = () => {
    issued++;
    return new SignJWT({ iss: "i", aud: "logstore", sub: "worker", exp: Math.floor(Date.now() / 1_000) - 3 })
      .setProtectedHeader({ alg: "ES256" })
      .sign(privateKey);
  };
  const worker = client(server, { tls: tls(), token });
  const producer = worker.producer("t");
  const records = worker.reader({ assign: { t: [0] } })[Symbol.asyncIterator]();
  const offsets: number[] = [];
  const send = async () => {
    await producer.send({ value: "x" });
    offsets.push((await records.next()).value!.offset);
  };
  await send();
  const before = issued;
  // Both streams are closed when their tokens expire; nothing sent then is lost or repeated.
  while (issued < before + 2) await send();
  await send();
  expect(offsets).toEqual(offsets.map((_, i) => i));
  await records.return?.();
  await producer.close();
});

test("a group member outlives its token if the client can get a new one", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  await files.write("issuer.pem", await exportSPKI(publicKey));
  const { server, broker } = await start({
    jwt: { issuer: "i", audience: "logstore", publicKeyFile: files.path("issuer.pem") },
    rules: [{ ...allow("worker", "consume", "group"), groups: ["g"] }],
  });
  let joins = 0;
  const joinGroup = broker.joinGroup.bind(broker);
  broker.joinGroup = (request) => {
    joins++;
    return joinGroup(request);
  };
  const token = () =>
    new SignJWT({ iss: "i", aud: "logstore", sub: "worker", exp: Math.floor(Date.now() / 1_000) - 3 })
      .setProtectedHeader({ alg: "ES256" })
      .sign(privateKey);
  const lost: unknown[] = [];
  const worker = client(server, { tls: tls(), token });
  const consumer = worker.consumer({
    group: "g",
    topics: ["t"],
    onLost: (partitions) => void lost.push(...partitions),
  });
  const records = consumer[Symbol.asyncIterator]();
  const next = records.next();
  next.catch(() => {});
  // Its stream is closed when its token expires, and it rejoins as the same member.
  await Promise.race([next, eventually(() => joins >= 2)]);
  await broker.topic("t").append(null, new Uint8Array(1));
  expect((await next).value).toMatchObject({ offset: 0 });
  expect(lost).toEqual([]);
  await records.return?.();
});

test("a token that is temporarily unavailable is requested again", async () => {
  const { server } = await start({ tokens: tokens("reader"), rules: [allow("reader", "consume")] });
  let asked = 0;
  const token = () => {
    if (++asked < 3) throw new Error("the issuer is away");
    return "reader";
  };
  expect(await client(server, { tls: tls(), token }).listTopics()).toHaveLength(1);
  expect(asked).toBe(3);
});

test("quotas slow down a producer and a consumer, and lose nothing", async () => {
  const { server } = await start({
    tokens: tokens("both"),
    rules: [allow("both", "produce", "consume")],
    quotas: [
      { principals: ["both"], produceBytesPerSecond: 20_000, consumeBytesPerSecond: 20_000, requestsPerSecond: 4 },
    ],
  });
  const both = client(server, { tls: tls(), token: "both" });
  const producer = both.producer("t", { batchBytes: 5_000 });
  const sent = Array.from({ length: 40 }, (_, i) => producer.send({ value: `${i}`.padEnd(1_000) }));
  expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual(sent.map((_, i) => i));
  const read: string[] = [];
  for await (const { value } of both.reader({ assign: { t: [0] }, until: "latest" })) {
    read.push(new TextDecoder().decode(value!).trim());
  }
  expect(read).toEqual(sent.map((_, i) => `${i}`));
  // More concurrent calls than the quota of a second allows: each is delayed until it is allowed.
  await Promise.all(Array.from({ length: 6 }, () => both.listTopics()));
});
