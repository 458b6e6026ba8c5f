import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { JoinGroupRequest, LogApi } from "@logstore/protocol";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { directoryWith } from "../../test/certificates.js";
import { sealed, valuesOf } from "../../test/fake-log.js";
import {
  collect,
  detailOf,
  type ForeignClient,
  failure,
  type Message,
  retryInfoOf,
} from "../../test/foreign-client.js";
import { eventually, home } from "../../test/home.js";
import { allow, sha256, tlsHome, tokensOf } from "../../test/tls-home.js";
import type { AccessConfig } from "./access-config.js";

const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const produce = (topic: string, ...values: string[]) => ({ topic, partition: 0, batches: sealed(...values) });

async function codeOf(call: Promise<unknown>): Promise<string> {
  return detailOf(await failure(call)).code;
}

/** Returns a function that reads the next message of a stream. */
function reader(stream: AsyncIterable<Message>): () => Promise<Message> {
  const messages = stream[Symbol.asyncIterator]();
  return async () => (await messages.next()).value;
}

test("a token identifies the caller, and nothing is allowed without a rule", async () => {
  const { client, api, refusals } = await tlsHome({
    access: { tokens: tokensOf("writer", "nobody"), rules: [allow("writer", ["produce"], "t")] },
  });
  await api.createTopic({ topic: "secret", partitions: 1 });
  const writer = client({ token: "writer" });
  expect(await writer.call("Produce", produce("t", "a"))).toMatchObject({ nextOffset: 1 });
  expect(await writer.call("ListTopics", {})).toMatchObject({
    topics: [{ topic: "t", partitionCount: 2, topicId: expect.any(String) }],
  });

  const refused = await failure(writer.call("Fetch", { topic: "t", partition: 0 }));
  expect(refused.code).toBe(PERMISSION_DENIED);
  expect(detailOf(refused)).toMatchObject({ code: "PERMISSION_DENIED", topic: "t" });
  expect(await codeOf(writer.call("CreateTopic", { topic: "new", partitions: 1 }))).toBe("PERMISSION_DENIED");
  expect((await collect(writer.consume({ topic: "t", partition: 0 }))).error?.code).toBe(PERMISSION_DENIED);
  expect(await codeOf(client({ token: "nobody" }).call("ListTopics", {}))).toBe("PERMISSION_DENIED");
  expect(await codeOf(client({ token: "forged" }).call("ListTopics", {}))).toBe("UNAUTHENTICATED");
  expect(await codeOf(client().call("ListTopics", {}))).toBe("UNAUTHENTICATED");
  expect((await collect(client().consume({ topic: "t" }))).error?.code).toBe(UNAUTHENTICATED);
  expect(api.consumers).toEqual([]);
  expect(refusals).toHaveLength(7);
  expect(refusals[0]).toEqual({
    refused: "call",
    peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    method: "/logstore.v1.LogService/Fetch",
    principal: "writer",
    code: "PERMISSION_DENIED",
    reason: "writer may not consume topic t",
  });
});

test("a topic that a caller may not know of is refused like a missing one", async () => {
  const { client } = await tlsHome({
    access: { tokens: tokensOf("a"), rules: [allow("a", ["*"], "mine-*")] },
  });
  const one = client({ token: "a" });
  const calls: [string, object][] = [
    ["DescribeTopic", {}],
    ["ListOffsets", { partitions: [] }],
    ["Fetch", {}],
    ["Produce", { batches: sealed("x") }],
    ["ListSnapshots", {}],
    ["DeleteTopic", {}],
    ["RestoreSnapshot", { snapshot: "s", newTopic: "mine-new" }],
  ];
  for (const [method, request] of calls) {
    const [there, notThere] = await Promise.all(
      ["t", "u"].map((topic) => failure(one.call(method, { ...request, topic }))),
    );
    expect(detailOf(there!).code).toBe("PERMISSION_DENIED");
    expect({ ...detailOf(notThere!), topic: "t" }).toEqual({
      ...detailOf(there!),
      message: detailOf(there!).message.replace(/t$/, "u"),
    });
  }
  expect(await codeOf(one.call("DescribeTopic", { topic: "mine-none" }))).toBe("UNKNOWN_TOPIC");
});

test("only what a caller may describe is listed; restoring a topic needs permission to create it", async () => {
  const snapshot = (topic: string) => ({ topic, snapshot: "s", createdAt: 1, partitions: [], sizeBytes: 0 });
  let restored = 0;
  const { client } = await tlsHome({
    access: {
      tokens: tokensOf("a", "b"),
      rules: [allow("a", ["consume"], "a-*"), allow("b", ["restore"], "t"), allow("b", ["createTopic"], "b-*")],
    },
    api: {
      listSnapshots: async () => [snapshot("t"), snapshot("a-1")],
      restoreSnapshot: async (_topic, _snapshot, topic) => {
        restored++;
        return {
          topic,
          topicId: "id",
          partitioner: "fnv1a-32",
          partitions: [],
          config: {},
          effectiveConfig: {},
          durabilities: [],
        };
      },
    },
  });
  const { snapshots } = await client({ token: "a" }).call("ListSnapshots", {});
  expect(snapshots.map(({ topic }: Message) => topic)).toEqual(["a-1"]);
  const b = client({ token: "b" });
  await b.call("RestoreSnapshot", { topic: "t", snapshot: "s", newTopic: "b-1" });
  expect(await codeOf(b.call("RestoreSnapshot", { topic: "t", snapshot: "s", newTopic: "c" }))).toBe(
    "PERMISSION_DENIED",
  );
  expect(restored).toBe(1);
});

test("ifNotExists does not describe a topic to a caller that may only create", async () => {
  const { client } = await tlsHome({
    access: {
      tokens: tokensOf("a", "b"),
      rules: [allow("a", ["createTopic"], "*"), allow("b", ["createTopic", "produce"], "*")],
    },
  });
  const request = { topic: "t", partitions: 2, ifNotExists: true };
  expect(await codeOf(client({ token: "a" }).call("CreateTopic", request))).toBe("PERMISSION_DENIED");
  const { topic } = await client({ token: "b" }).call("CreateTopic", request);
  expect(topic.topic).toBe("t");
});

test("shorter retention needs deleteRecords in addition to alterTopic", async () => {
  const config = { retentionMs: 1_000 };
  const altered: object[] = [];
  const { client } = await tlsHome({
    access: {
      tokens: tokensOf("a", "b"),
      rules: [allow("a", ["alterTopic"], "*"), allow("b", ["alterTopic", "deleteRecords"], "*")],
    },
    api: {
      describeTopic: async (topic) => {
        return {
          topic,
          topicId: "id",
          partitioner: "fnv1a-32",
          partitions: [],
          config,
          effectiveConfig: config,
          durabilities: [],
        };
      },
      alterTopicConfig: async (_topic, change) => {
        altered.push(change);
        return config;
      },
    },
  });
  const alter = (token: string, set: object, unset: string[] = []) =>
    client({ token }).call("AlterTopicConfig", { topic: "t", set, unset });
  for (const set of [{ retentionMs: 0 }, { retentionMs: 999 }, { retentionBytes: 1e12 }]) {
    expect(await codeOf(alter("a", set))).toBe("PERMISSION_DENIED");
  }
  expect(await codeOf(alter("a", {}, ["retention_ms"]))).toBe("PERMISSION_DENIED");
  expect(altered).toEqual([]);
  await alter("a", { retentionMs: 1_000 });
  await alter("a", { retentionMs: 5_000, segmentBytes: 2_000_000 });
  await alter("b", { retentionMs: 0 });
  await alter("b", {}, ["retention_ms"]);
  expect(altered).toHaveLength(4);
});

test("retention is checked against concurrent changes", async () => {
  let config = { retentionMs: 1_000 };
  const begun = Promise.withResolvers<void>();
  const { client } = await tlsHome({
    access: {
      tokens: tokensOf("a", "b"),
      rules: [allow("a", ["alterTopic"], "*"), allow("b", ["alterTopic", "deleteRecords"], "*")],
    },
    api: {
      describeTopic: async (topic) => {
        return {
          topic,
          topicId: "id",
          partitioner: "fnv1a-32",
          partitions: [],
          config,
          effectiveConfig: config,
          durabilities: [],
        };
      },
      alterTopicConfig: async (_topic, change) => {
        begun.resolve();
        await new Promise((resolve) => setTimeout(resolve, 50));
        config = change as typeof config;
        return config;
      },
    },
  });
  const alter = (token: string, retentionMs: number) =>
    client({ token }).call("AlterTopicConfig", { topic: "t", set: { retentionMs } });
  const raised = alter("b", 9_000);
  await begun.promise;
  expect(await codeOf(alter("a", 5_000))).toBe("PERMISSION_DENIED"); // the previous configuration would have permitted it
  await raised;
  expect(config).toEqual({ retentionMs: 9_000 });
});

test("a request to a forbidden topic on a stream is answered with an error, and the stream continues", async () => {
  const { client, api, refusals } = await tlsHome({
    access: { tokens: tokensOf("writer"), rules: [allow("writer", ["produce"], "t")] },
  });
  await api.createTopic({ topic: "secret", partitions: 1 });
  const stream = client({ token: "writer" }).produceStream();
  for (const topic of ["t", "secret", "secret", "nowhere", "t"]) stream.write(produce(topic, "x"));
  stream.end();
  const { messages, error } = await collect(stream);
  expect(error).toBeUndefined();
  expect(messages.map(({ ack, error }) => ack?.nextOffset ?? error.code)).toEqual([
    1,
    "PERMISSION_DENIED",
    "PERMISSION_DENIED",
    "PERMISSION_DENIED",
    2,
  ]);
  expect((await api.describeTopic("secret")).partitions[0]!.logEndOffset).toBe(0);
  expect(refusals.map(({ reason }) => reason)).toEqual([
    "writer may not produce topic secret",
    "writer may not produce topic nowhere",
  ]);
});

test("a stream ends when its caller loses its permission or credentials, and other streams continue", async () => {
  const both = allow("*", ["consume", "produce"], "t");
  const { client, api, server } = await tlsHome({ access: { tokens: tokensOf("a", "b"), rules: [both] } });
  const [a, b] = [client({ token: "a" }), client({ token: "b" })];
  const [reads, otherReads, writes] = [a.consume({ topic: "t" }), b.consume({ topic: "t" }), a.produceStream()];
  const [next, nextOther, nextAck] = [reader(reads), reader(otherReads), reader(writes)];
  expect(await next()).toMatchObject({ caughtUp: {} });
  await nextOther();
  writes.write(produce("t", "x"));
  expect(await nextAck()).toMatchObject({ ack: { nextOffset: 1 } });
  expect(valuesOf((await next()).batches)).toEqual(["x"]);
  await nextOther();
  await Promise.all([next(), nextOther()]); // both have reached the end again

  await server.updateAccess({
    tokens: tokensOf("a", "b"),
    rules: [allow("b", ["*"], "t"), allow("a", ["produce"], "t")],
  });
  expect((await failure(next())).code).toBe(PERMISSION_DENIED);
  writes.write(produce("t", "y"));
  expect(await nextAck()).toMatchObject({ ack: { nextOffset: 2 } });
  expect(valuesOf((await nextOther()).batches)).toEqual(["y"]);
  await eventually(() => api.consumers[0]!.ended);

  await server.updateAccess({ tokens: tokensOf("b"), rules: [both] });
  expect((await failure(nextAck())).code).toBe(UNAUTHENTICATED);
  await api.produce(produce("t", "z"));
  await nextOther();
  expect(valuesOf((await nextOther()).batches)).toEqual(["z"]);

  await expect(server.updateAccess({ rules: [{ principals: [], operations: [] }] })).rejects.toThrow("access.rules[0]");
  expect((await b.call("ListTopics", {})).topics).toHaveLength(1);
  otherReads.on("error", () => {});
  otherReads.cancel();
});

test("a stalled reader gets no records that are appended after its permission ended", async () => {
  const config: AccessConfig = { tokens: tokensOf("a"), rules: [allow("a", ["consume"], "t")] };
  const { client, api, server } = await tlsHome({ access: config });
  for (let i = 0; i < 100; i++) await api.produce(produce("t", `${i}`.padEnd(200_000)));
  const stream = client({ token: "a" }).consume({ topic: "t" });
  stream.pause();
  await eventually(() => (api.consumers[0]?.given ?? 0) > 1);
  await server.updateAccess({ ...config, rules: [allow("a", ["produce"], "t")] });
  const { messages, error } = await collect(stream);
  expect(error?.code).toBe(PERMISSION_DENIED);
  expect(messages.length).toBeLessThan(100);
  await eventually(() => api.consumers[0]!.ended);
});

test("an update of a server without access control is refused", async () => {
  const { server } = await home();
  await expect(server.updateAccess({ rules: [] })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

test("a token over an unencrypted connection is refused", async () => {
  const { client } = await home({ access: { tokens: tokensOf("a"), rules: [allow("a", ["*"], "*")] } });
  const error = await failure(client.call("ListTopics", {}, { authorization: "Bearer a" }));
  expect([error.code, error.details]).toEqual([UNAUTHENTICATED, expect.stringContaining("over TLS only")]);
});

test("a caller without credentials is anonymous, and has the permissions of anonymous", async () => {
  const { client } = await home({ access: { rules: [allow("anonymous", ["produce"], "t"), allow("*", ["*"], "*")] } });
  expect(await client.call("Produce", produce("t", "a"))).toMatchObject({ nextOffset: 1 });
  expect(await codeOf(client.call("Fetch", { topic: "t" }))).toBe("UNAUTHENTICATED");
});

test("an invalid authorization header is refused", async () => {
  const { client } = await tlsHome({ access: { tokens: tokensOf("a"), rules: [allow("*", ["*"], "*")] } });
  const one = client();
  for (const authorization of ["Basic YTph", "Bearer", "Bearer ", "Bearer a b", "a", `Bearer ${"a".repeat(10_000)}`]) {
    expect(await codeOf(one.call("ListTopics", {}, { authorization }))).toBe("UNAUTHENTICATED");
  }
});

test("an expired token is refused, and ends the calls made with it", async () => {
  const soon = new Date(Date.now() + 3_000).toISOString();
  const access: AccessConfig = {
    tokens: [
      { principal: "a", sha256: sha256("old"), expiresAt: "2020-01-01" },
      { principal: "a", sha256: sha256("short"), expiresAt: soon },
    ],
    rules: [allow("a", ["*"], "*")],
  };
  const { client, refusals, server } = await tlsHome({ access });
  expect(await codeOf(client({ token: "old" }).call("ListTopics", {}))).toBe("UNAUTHENTICATED");
  const { messages, error } = await collect(client({ token: "short" }).consume({ topic: "t" }));
  expect([messages.length, error?.code]).toEqual([1, UNAUTHENTICATED]);
  expect(refusals.map(({ principal }) => principal)).toEqual([undefined, "a"]);

  // A token without an expiry when the stream began.
  await server.updateAccess({ ...access, tokens: tokensOf("a") });
  const stream = client({ token: "a" }).consume({ topic: "t" });
  const next = reader(stream);
  await next();
  const [token] = tokensOf("a");
  await server.updateAccess({
    ...access,
    tokens: [{ ...token!, expiresAt: new Date(Date.now() + 500).toISOString() }],
  });
  expect((await failure(next())).code).toBe(UNAUTHENTICATED);
});

const issuer = "https://issuer.example";

async function jwtHome(where: (key: object, spki: string) => Promise<object> | object) {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" };
  const jwt = { issuer, audience: "logstore", ...(await where(jwk, await exportSPKI(publicKey))) };
  const tls = await tlsHome({ access: { jwt, rules: [allow("billing", ["*"], "*")] } });
  const now = Math.floor(Date.now() / 1_000);
  const token = (claims: object = {}, header: object = {}, key: Parameters<SignJWT["sign"]>[0] = privateKey) =>
    new SignJWT({ iss: issuer, aud: "logstore", sub: "billing", exp: now + 60, ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "one", ...header })
      .sign(key);
  return { ...tls, token, now, publicKey, jwt };
}

async function serveKeys(respond: (response: ServerResponse) => void): Promise<string> {
  const keyServer = createServer((_request, response) => respond(response)).listen(0, "127.0.0.1");
  await once(keyServer, "listening");
  onTestFinished(() => {
    keyServer.close();
    keyServer.closeAllConnections();
  });
  return `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/keys`;
}

async function fileWith(content: string): Promise<string> {
  const files = await directoryWith({ file: content });
  onTestFinished(files.remove);
  return files.path("file");
}

test("a JWT is accepted if it has the right issuer and audience and has not expired", async () => {
  const unlisted = await generateKeyPair("ES384", { extractable: true });
  const { client, token, now, publicKey, refusals } = await jwtHome(async (key) => ({
    jwksFile: await fileWith(
      JSON.stringify({ keys: [key, { ...(await exportJWK(unlisted.publicKey)), kid: "unlisted" }] }),
    ),
  }));
  const ask = (token: string) => client({ token }).call("ListTopics", {});
  expect((await ask(await token())).topics).toHaveLength(1);
  const other = await generateKeyPair("ES256");
  const claims = { iss: issuer, aud: "logstore", sub: "billing" };
  const forged = {
    "another key": await token({}, {}, other.privateKey),
    "an unknown key": await token({}, { kid: "two" }, other.privateKey),
    "an algorithm that is not listed": await token({}, { alg: "ES384", kid: "unlisted" }, unlisted.privateKey),
    "another audience": await token({ aud: "else" }),
    "another issuer": await token({ iss: "https://evil.example" }),
    expired: await token({ exp: now - 10 }),
    "no end": await token({ exp: undefined }),
    "not yet": await token({ nbf: now + 600 }),
    nobody: await token({ sub: undefined }),
    anonymous: await token({ sub: "anonymous" }),
    everybody: await token({ sub: "*" }),
    unsigned: new UnsecuredJWT({ ...claims, exp: now + 60 }).encode(),
    "the public key as a secret": await new SignJWT({ ...claims, exp: now + 60 })
      .setProtectedHeader({ alg: "HS256", kid: "one" })
      .sign(new TextEncoder().encode(await exportSPKI(publicKey))),
    changed: `${(await token()).slice(0, -4)}AAAA`,
  };
  for (const [why, token] of Object.entries(forged)) {
    const error = await failure(ask(token));
    expect([why, error.code]).toEqual([why, UNAUTHENTICATED]);
    expect(error.details).toMatch(/^the (token|credentials)/);
  }
  expect(refusals).toHaveLength(Object.keys(forged).length);
  expect(await codeOf(client({ token: await token({ sub: "else" }) }).call("ListTopics", {}))).toBe(
    "PERMISSION_DENIED",
  );
});

test("an expiring JWT ends the calls made with it", async () => {
  const { client, token, now } = await jwtHome(async (_key, spki) => ({ publicKeyFile: await fileWith(spki) }));
  // The server allows a clock skew of five seconds.
  const stream = client({ token: await token({ exp: now - 2 }) }).consume({ topic: "t" });
  const { messages, error } = await collect(stream);
  expect([messages.length, error?.code]).toEqual([1, UNAUTHENTICATED]);
});

test("a call is refused if its issuer is removed while its token is being checked", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  let keys = "";
  const jwksUrl = await serveKeys(async (response) => {
    asked.resolve();
    await answer.promise;
    response.end(keys);
  });
  const { client, token, server } = await jwtHome((key) => {
    keys = JSON.stringify({ keys: [key] });
    return { jwksUrl };
  });
  const call = codeOf(client({ token: await token() }).call("ListTopics", {}));
  await asked.promise;
  await server.updateAccess({ rules: [allow("billing", ["*"], "*")] });
  answer.resolve();
  expect(await call).toBe("UNAUTHENTICATED");
});

test("removing a rule ends calls at once, even if the keys of tokens cannot be fetched", async () => {
  const hanging = Promise.withResolvers<void>();
  onTestFinished(() => hanging.resolve());
  let keys = "";
  let isHanging = false;
  const jwksUrl = await serveKeys(async (response) => {
    if (isHanging) await hanging.promise;
    response.end(keys);
  });
  const { client, token, server, jwt } = await jwtHome((key) => {
    keys = JSON.stringify({ keys: [key] });
    return { jwksUrl };
  });
  const stream = client({ token: await token() }).consume({ topic: "t", partition: 0 });
  const next = reader(stream);
  expect(await next()).toBeDefined();
  isHanging = true;
  const updated = server.updateAccess({ jwt, rules: [allow("billing", ["produce"], "*")] });
  const other = server.updateAccess({ jwt, rules: [allow("billing", ["produce"], "t")] });
  // The keys do not arrive before the end of the test, so only the rules can have ended it.
  const error = await next().then(
    () => undefined,
    (error) => error,
  );
  expect(error?.code).toBe(PERMISSION_DENIED);
  hanging.resolve();
  await Promise.all([updated, other]);
});

test("keys are fetched; while that fails, only callers with known tokens are admitted", async () => {
  let answer: { status: number; body: string } = { status: 500, body: "" };
  let fetches = 0;
  const jwksUrl = await serveKeys((response) => {
    fetches++;
    response.writeHead(answer.status).end(answer.body);
  });
  let keys = "";
  const { client, token, warnings, server, jwt } = await jwtHome((key) => {
    keys = JSON.stringify({ keys: [key] });
    return { jwksUrl };
  });
  const ask = async (shown: string) => client({ token: shown }).call("ListTopics", {});
  for (let i = 0; i < 5; i++) expect((await failure(ask(await token({ jti: `${i}` })))).code).toBe(UNAVAILABLE);
  expect(fetches).toBe(1);
  expect(warnings).toEqual([expect.stringContaining("it answers 500")]);

  answer = { status: 200, body: keys };
  await server.updateAccess({ jwt, rules: [allow("billing", ["*"], "*")] });
  expect((await ask(await token())).topics).toHaveLength(1);
  answer = { status: 500, body: "" };
  expect((await failure(ask(await token({}, { kid: "two" })))).code).toBe(UNAUTHENTICATED);
  expect((await ask(await token({ jti: "new" }))).topics).toHaveLength(1);
  expect(fetches).toBe(2);
});

test("a certificate identifies the caller; a token on its connection takes precedence", async () => {
  const access: AccessConfig = {
    tokens: tokensOf("reader"),
    rules: [allow("billing", ["produce"], "t"), allow("reader", ["consume"], "t")],
  };
  const { client, ca, server } = await tlsHome({ clientCertificates: "optional", access });
  const pair = await ca.issue(["billing"]);
  const certified = client({ pair });
  expect(await certified.call("Produce", produce("t", "a"))).toMatchObject({ nextOffset: 1 });
  expect(await codeOf(certified.call("Fetch", { topic: "t" }))).toBe("PERMISSION_DENIED");
  expect(await codeOf(client({ pair, token: "reader" }).call("Produce", produce("t", "a")))).toBe("PERMISSION_DENIED");
  expect(await codeOf(client({ pair, token: "forged" }).call("Produce", produce("t", "a")))).toBe("UNAUTHENTICATED");
  expect(await codeOf(client().call("Produce", produce("t", "a")))).toBe("UNAUTHENTICATED");
  for (const names of [[], ["billing", "other"], ["anonymous"]]) {
    const nameless = client({ pair: await ca.issue(names) });
    expect(await codeOf(nameless.call("Produce", produce("t", "a")))).toBe("UNAUTHENTICATED");
  }

  const uri = "spiffe://example/billing";
  const named = client({
    pair: await ca.issue(["x"], {
      names: [
        { type: 6, value: uri },
        { type: 2, value: "b.example" },
      ],
    }),
  });
  // The content of one name cannot pass for another name.
  const posing = client({ pair: await ca.issue(["x"], { names: [{ type: 2, value: `b, URI:${uri}` }] }) });
  const odd = client({ pair: await ca.issue(["x"], { names: [{ type: 6, value: `${uri},eu` }] }) });
  const rules = [allow(uri, ["produce"], "t"), allow(`${uri},eu`, ["consume"], "t")];
  await server.updateAccess({ certificates: { principal: "uri" }, rules });
  expect(await named.call("Produce", produce("t", "b"))).toMatchObject({ nextOffset: 2 });
  expect((await odd.call("ListTopics", {})).topics).toHaveLength(1);
  expect(await codeOf(posing.call("Produce", produce("t", "c")))).toBe("UNAUTHENTICATED");
  expect(await codeOf(certified.call("Produce", produce("t", "c")))).toBe("UNAUTHENTICATED");
  await server.updateAccess({ certificates: { principal: "dns" }, rules: [allow("b.example", ["produce"], "t")] });
  expect(await named.call("Produce", produce("t", "d"))).toMatchObject({ nextOffset: 3 });
});

test("an expiring certificate ends the calls on its connection", async () => {
  const { client, ca } = await tlsHome({
    clientCertificates: "required",
    access: { rules: [allow("billing", ["*"], "*")] },
  });
  const notAfter = new Date(Math.ceil(Date.now() / 1_000 + 2) * 1_000);
  const brief = client({ pair: await ca.issue(["billing"], { notAfter }) });
  const { messages, error } = await collect(brief.consume({ topic: "t" }));
  expect([messages.length, error?.code]).toEqual([1, UNAUTHENTICATED]);
  expect(await codeOf(brief.call("ListTopics", {}))).toBe("UNAUTHENTICATED");
});

test("calls beyond a quota are refused with a retry time, those of other principals are not", async () => {
  const { client } = await tlsHome({
    access: {
      tokens: tokensOf("a", "b"),
      rules: [allow("*", ["*"], "*")],
      quotas: [{ principals: ["a"], requestsPerSecond: 1 / 3_600 }],
    },
  });
  const a = client({ token: "a" });
  await a.call("ListTopics", {});
  const error = await failure(a.call("ListTopics", {}));
  expect(error.code).toBe(RESOURCE_EXHAUSTED);
  const { code, retryAfterMs } = detailOf(error);
  expect(code).toBe("QUOTA_EXCEEDED");
  expect(retryAfterMs).toBeGreaterThan(3_500_000);
  const { seconds, nanos } = retryInfoOf(error).retryDelay;
  expect(seconds * 1_000 + nanos / 1_000_000).toBe(retryAfterMs);
  expect((await collect(a.consume({ topic: "t" }))).error?.code).toBe(RESOURCE_EXHAUSTED);
  await client({ token: "b" }).call("ListTopics", {});
});

test("the number of connections of a principal is limited, whatever credentials it uses", async () => {
  const { client, ca, refusals } = await tlsHome({
    clientCertificates: "optional",
    access: {
      tokens: tokensOf("a"),
      rules: [allow("*", ["*"], "*")],
      quotas: [{ principals: ["a"], connections: 1 }],
    },
  });
  const first = client({ token: "a" });
  await first.call("ListTopics", {});
  await first.call("ListTopics", {});
  expect(await codeOf(client({ token: "a" }).call("ListTopics", {}))).toBe("QUOTA_EXCEEDED");
  const pair = await ca.issue(["a"]);
  expect((await failure(client({ pair }).call("ListTopics", {}))).code).toBe(UNAVAILABLE);
  expect(refusals).toMatchObject([
    { refused: "call", principal: "a", code: "QUOTA_EXCEEDED" },
    { refused: "connection", reason: "a already has 1 connections" },
  ]);
  first.close();
  await eventuallyAnswered(client({ pair }));
});

async function eventuallyAnswered(client: ForeignClient): Promise<void> {
  for (;;) {
    const answered = await client.call("ListTopics", {}).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("groups can be used, joined and left according to permissions", async () => {
  const access = (groups: string[]): AccessConfig => ({
    tokens: tokensOf("ada"),
    rules: [{ principals: ["ada"], operations: ["group", "consume"], topics: ["orders-*"], groups }],
  });
  const joined: JoinGroupRequest[] = [];
  const told = Promise.withResolvers<void>();
  let isWritten = false;
  const api: Partial<LogApi> = {
    joinGroup(request) {
      joined.push(request);
      return {
        async *[Symbol.asyncIterator]() {
          yield { type: "joined", memberId: "m", memberEpoch: 1, heartbeatIntervalMs: 1, sessionTimeoutMs: 1 } as const;
          isWritten = true; // the next event is requested
          await told.promise;
        },
        heartbeat() {},
        revoked() {},
        subscribe() {},
        async leave() {},
      };
    },
    listGroups: async () => ["a1", "b1"].map((group) => ({ group, state: "empty", memberCount: 0 }) as const),
    deleteGroup: async () => {},
    fetchOffsets: async () => [],
  };
  const served = await tlsHome({ access: access(["a*"]) });
  Object.assign(served.api, api);
  const client = served.client({ token: "ada" });
  const join = (group: string, topics: string[]) => {
    const call = client.joinGroup();
    call.write({ join: { group, topics } });
    return collect(call);
  };
  expect((await client.call("ListGroups", {})).groups.map(({ group }: Message) => group)).toEqual(["a1"]);
  await client.call("DeleteGroup", { group: "a1" });
  expect(detailOf(await failure(client.call("DeleteGroup", { group: "b1" })))).toMatchObject({
    code: "PERMISSION_DENIED",
    group: "b1",
  });
  for (const [group, topics] of [
    ["b1", ["orders-eu"]],
    ["a1", ["invoices"]],
    ["a1", ["orders-eu", "*"]],
    ["a1", ["ord*"]],
  ] as const) {
    const { error } = await join(group, [...topics]);
    expect(error && detailOf(error).code).toBe("PERMISSION_DENIED");
  }
  expect(joined).toEqual([]);
  const member = join("a1", ["orders-eu", "orders-*"]);
  await eventually(() => isWritten);
  await served.server.updateAccess(access(["c"]));
  const { messages, error } = await member;
  expect(messages).toHaveLength(1);
  expect(error && detailOf(error).code).toBe("PERMISSION_DENIED");
  told.resolve();
});

test("a member that may no longer read one of its topics is removed from its group", async () => {
  const access = (...topics: string[]): AccessConfig => ({
    tokens: tokensOf("ada"),
    rules: [{ principals: ["ada"], operations: ["group", "consume"], topics, groups: ["g"] }],
  });
  const subscriptions: (readonly string[])[] = [];
  const never = new Promise<never>(() => {});
  const { client, server } = await tlsHome({
    access: access("orders-*", "invoices"),
    api: {
      joinGroup({ topics }) {
        subscriptions.push(topics);
        return {
          [Symbol.asyncIterator]: () => ({ next: () => never }),
          heartbeat() {},
          revoked() {},
          subscribe: (topics) => void subscriptions.push(topics),
          async leave() {},
        };
      },
    },
  });
  const call = client({ token: "ada" }).joinGroup();
  const member = collect(call);
  call.write({ join: { group: "g", topics: ["orders-eu", "orders-*"] } });
  await eventually(() => subscriptions.length === 1);
  await server.updateAccess(access("orders-*"));
  call.write({ subscribe: { topics: ["orders-eu"] } });
  await eventually(() => subscriptions.length === 2);
  await server.updateAccess(access("orders-eu", "invoices")); // the pattern is no longer permitted
  call.write({ subscribe: { topics: ["invoices"] } });
  await eventually(() => subscriptions.length === 3);
  await server.updateAccess(access("orders-*"));
  const { error } = await member;
  expect(error && detailOf(error)).toMatchObject({ code: "PERMISSION_DENIED", topic: "invoices" });
});

test("a caller is told only of those topics of a group that it may describe, and can name no others", async () => {
  const at = (topic: string) => ({ topic, partition: 0 });
  const committed = (topic: string) => ({ ...at(topic), offset: 7, metadata: "", committedAt: 1 });
  const partition = (topic: string) => ({
    ...at(topic),
    memberId: undefined,
    committedOffset: 7,
    metadata: "",
    committedAt: 1,
    logEndOffset: 9,
    lag: 2,
    lagMs: 1,
  });
  const both = ["secret", "t"];
  const member = { memberId: "m", memberEpoch: 1, instanceId: undefined, clientId: "", connected: true };
  const calls: unknown[] = [];
  const { client } = await tlsHome({
    access: {
      tokens: tokensOf("a"),
      rules: [
        { principals: ["a"], operations: ["group"], groups: ["g"] },
        { principals: ["a"], operations: ["describe"], topics: ["t"] },
      ],
    },
    api: {
      commitOffsets: async ({ offsets }) => {
        calls.push(offsets.map(({ topic }) => topic));
        return offsets.map(({ partition }) => ({ error: { code: "FENCED_MEMBER", message: "", partition } }));
      },
      fetchOffsets: async (_group, partitions = both.map(at)) => partitions.map(({ topic }) => committed(topic)),
      describeGroup: async (group) => ({
        group,
        state: "stable",
        groupEpoch: 1,
        assignor: "sticky",
        members: [{ ...member, topics: both, assigned: both.map(at), revoking: [at("secret")] }],
        partitions: both.map(partition),
      }),
      resetOffsets: async ({ partitions = both.map(at) }) => {
        calls.push(partitions.map(({ topic }) => topic));
        return partitions.map(({ topic }) => committed(topic));
      },
    },
  });
  const one = client({ token: "a" });
  const topicsOf = (partitions: Message[]) => partitions.map(({ topic }) => topic);

  const offsets = ["secret", "t", "nowhere"].map((topic, partition) => ({ topic, partition, offset: 1 }));
  const { results } = await one.call("CommitOffsets", { group: "g", offsets });
  expect(results.map(({ error }: Message) => [error.code, error.partition])).toEqual([
    ["PERMISSION_DENIED", 0],
    ["FENCED_MEMBER", 1],
    ["PERMISSION_DENIED", 2],
  ]);
  for (const topic of ["secret", "nowhere"]) {
    const named = { group: "g", partitions: [at("t"), at(topic)] };
    expect(await codeOf(one.call("FetchOffsets", named))).toBe("PERMISSION_DENIED");
    expect(await codeOf(one.call("ResetOffsets", { ...named, position: { edge: 2 } }))).toBe("PERMISSION_DENIED");
    const { results } = await one.call("CommitOffsets", { group: "g", offsets: [{ ...at(topic), offset: 1 }] });
    expect(results).toMatchObject([{ error: { code: "PERMISSION_DENIED" } }]);
  }
  expect(topicsOf((await one.call("FetchOffsets", { group: "g" })).offsets)).toEqual(["t"]);
  expect(topicsOf((await one.call("ResetOffsets", { group: "g", position: { edge: 1 } })).offsets)).toEqual(["t"]);
  expect(calls).toEqual([["t"], ["t"]]);
  const { members, partitions } = await one.call("DescribeGroup", { group: "g" });
  expect(topicsOf(partitions)).toEqual(["t"]);
  expect([members[0].topics, topicsOf(members[0].assigned), members[0].revoking]).toEqual([["t"], ["t"], []]);
  expect(await codeOf(one.call("DeleteGroup", { group: "g" }))).toBe("PERMISSION_DENIED");
  const long = [{ ...at("x".repeat(10_000)), offset: 1 }];
  const { results: refused } = await one.call("CommitOffsets", { group: "g", offsets: long });
  expect(refused[0].error.code).toBe("INVALID_ARGUMENT");
  expect(JSON.stringify(refused).length).toBeLessThan(1000);
});
