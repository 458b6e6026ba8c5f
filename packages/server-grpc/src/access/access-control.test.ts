import { Metadata, type ServerInterceptingCallInterface, type StatusObject } from "@grpc/grpc-js";
import type { LogStoreError } from "@logstore/codec";
import { expect, test } from "vitest";
import { tokensOf } from "../../test/tls-home.js";
import type { Connection } from "../transport/connection.js";
import { AccessControl } from "./access-control.js";

const method = { path: "/logstore.v1.LogService/ProduceStream", requestStream: true, responseStream: true };

/** A call that brings a token of "a", as grpc-js would have it, and what is sent on it. */
async function setUp() {
  const access = await AccessControl.open(
    { tokens: tokensOf("a"), rules: [{ principals: ["a"], operations: ["produce"], topics: ["t"] }] },
    {
      encrypted: true,
      toStatus: (error) => ({ details: (error as LogStoreError).code }) as StatusObject,
      onRefused: () => {},
      onWarning: () => {},
    },
  );
  const sent: unknown[] = [];
  const metadata = Metadata.fromHttp2Headers({ authorization: "Bearer a", trace: "kept" });
  const call = {
    start: (listener: { onReceiveMetadata(metadata: Metadata): void }) => listener.onReceiveMetadata(metadata),
    sendMetadata: () => {},
    sendMessage: (message: unknown) => void sent.push(message),
    sendStatus: ({ details }: StatusObject) => void sent.push(details),
    getPeer: () => "peer",
  } as unknown as ServerInterceptingCallInterface;
  const connection = { peer: "peer", certificate: undefined, used: () => {} } as unknown as Connection;
  const intercepted = access.intercept(method as Parameters<typeof access.intercept>[0], call, connection);
  let received: Metadata | undefined;
  intercepted.start({
    onReceiveMetadata: (metadata) => {
      received = metadata;
    },
    onReceiveMessage: () => {},
    onReceiveHalfClose: () => {},
    onCancel: () => {},
  });
  return { access, intercepted, sent, received: received! };
}

test("after a call was cut nothing more is sent on it, and it has one status", async () => {
  const { access, intercepted, sent } = await setUp();
  intercepted.sendMessage("before", () => {});
  await access.update({ tokens: [], rules: [] });
  intercepted.sendMessage("after", () => {});
  intercepted.sendStatus({ code: 0, details: "OK" });
  expect(sent).toEqual(["before", "UNAUTHENTICATED"]);
});

test("a call that has ended is not ended again", async () => {
  const { access, intercepted, sent } = await setUp();
  intercepted.sendStatus({ code: 0, details: "OK" });
  await access.update({ tokens: [], rules: [] });
  expect(sent).toEqual(["OK"]);
});

test("a token goes no further than here", async () => {
  const { received } = await setUp();
  expect(received.toJSON()).toEqual({ trace: ["kept"] });
});
