import { Metadata, type ServerInterceptingCallInterface, type StatusObject } from "@grpc/grpc-js";
import type { LogStoreError } from "@logstore/codec";
import { exportSPKI, generateKeyPair, SignJWT } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { directoryWith } from "../../test/certificates.js";
import { tokensOf } from "../../test/tls-home.js";
import type { Connection } from "../transport/connection.js";
import type { AccessConfig } from "./access-config.js";
import { AccessControl } from "./access-control.js";

const method = { path: "/logstore.v1.LogService/ProduceStream", requestStream: true, responseStream: true };

/** A call of "a" with one of its tokens, in the form of grpc-js, and the messages sent on it. */
async function setUp(changes: Partial<AccessConfig> = {}, token = "a") {
  const refused: string[] = [];
  const access = await AccessControl.open(
    { tokens: tokensOf("a"), rules: [{ principals: ["a"], operations: ["produce"], topics: ["t"] }], ...changes },
    {
      encrypted: true,
      maxWaitingBytes: 1_000,
      toStatus: (error) => ({ details: (error as LogStoreError).code }) as StatusObject,
      onRefused: ({ reason }) => void refused.push(reason),
      onWarning: () => {},
    },
  );
  const sent: unknown[] = [];
  const received: Metadata[] = [];
  let listener: InterceptingListener | undefined;
  const call = {
    start: (one: InterceptingListener) => {
      listener = one;
      one.onReceiveMetadata(Metadata.fromHttp2Headers({ authorization: `Bearer ${token}`, trace: "kept" }));
    },
    sendMetadata: () => {},
    sendMessage: (message: unknown) => void sent.push(message),
    sendStatus: ({ details }: StatusObject) => void sent.push(details),
    getPeer: () => "peer",
  } as unknown as ServerInterceptingCallInterface;
  const connection = { peer: "peer", certificate: undefined, used: () => {} } as unknown as Connection;
  const intercepted = access.intercept(method as Parameters<typeof access.intercept>[0], call, connection);
  intercepted.start({
    onReceiveMetadata: (metadata) => void received.push(metadata),
    onReceiveMessage: () => {},
    onReceiveHalfClose: () => {},
    onCancel: () => {},
  });
  return { access, intercepted, sent, received, refused, cancel: () => listener!.onCancel() };
}

interface InterceptingListener {
  onReceiveMetadata(metadata: Metadata): void;
  onCancel(): void;
}

test("a call that is cancelled while its token is checked leaves nothing behind", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const files = await directoryWith({ key: await exportSPKI(publicKey) });
  onTestFinished(files.remove);
  const jwt = { issuer: "i", audience: "l", publicKeyFile: files.path("key") };
  const token = await new SignJWT({ iss: "i", aud: "l", sub: "a", exp: Math.floor(Date.now() / 1_000) + 60 })
    .setProtectedHeader({ alg: "ES256" })
    .sign(privateKey);
  const cancelled = await setUp({ jwt }, token);
  cancelled.cancel();
  // The check of another token takes as long, and starts later.
  const other = await setUp({ jwt }, token);
  await expect.poll(() => other.received).toHaveLength(1);
  await cancelled.access.update({ rules: [] });
  expect([cancelled.received, cancelled.sent]).toEqual([[], []]);
  await other.access.update({ rules: [] });
  expect(other.sent).toEqual(["UNAUTHENTICATED"]);
});

test("after a call was ended nothing more is sent on it, and it has one status", async () => {
  const { access, intercepted, sent } = await setUp();
  intercepted.sendMessage("before", () => {});
  await access.update({ tokens: [], rules: [] });
  intercepted.sendMessage("after", () => {});
  intercepted.sendStatus({ code: 0, details: "OK" });
  expect(sent).toEqual(["before", "UNAUTHENTICATED"]);
});

test("a request that was read but not started when its call was ended is denied, and reported once", async () => {
  const { access, received, refused } = await setUp();
  const caller = access.callerOf({ metadata: received[0]! });
  caller.check("produce", "t");
  caller.hold({ operation: "produce" });
  await access.update({ tokens: [], rules: [{ principals: ["a"], operations: ["produce"], topics: ["t"] }] });
  expect(() => caller.check("produce", "t")).toThrow("a may not produce topic t");
  expect(refused).toEqual(["the token is not valid"]);
});

test("a call that has ended is not ended again", async () => {
  const { access, intercepted, sent } = await setUp();
  intercepted.sendStatus({ code: 0, details: "OK" });
  await access.update({ tokens: [], rules: [] });
  expect(sent).toEqual(["OK"]);
});

test("a token is removed from the metadata", async () => {
  const { received } = await setUp();
  expect(received[0]!.toJSON()).toEqual({ trace: ["kept"] });
});
