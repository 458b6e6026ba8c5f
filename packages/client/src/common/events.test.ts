import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type AddressInfo, createServer } from "node:net";
import { UnavailableError } from "@logstore/codec";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { fromServiceError } from "../grpc/grpc-errors.js";
import { GrpcLogApi } from "../index.js";
import { type ClientEvent, ConnectionWatch } from "./events.js";

const away = new UnavailableError("127.0.0.1:7411 cannot be reached: connect ECONNREFUSED");

afterEach(() => void vi.restoreAllMocks());

describe("a lost connection", () => {
  test("is told of, and each failure after it, and that it is back", () => {
    const told: ClientEvent[] = [];
    const watch = new ConnectionWatch((event) => void told.push(event));
    watch.succeeded("a:1");
    watch.failed(away, "a:1");
    watch.failed(away, "a:1");
    watch.succeeded("a:1");
    watch.succeeded("a:1");
    watch.failed(away, "a:1");
    expect(told.map(({ type }) => type)).toEqual(["lost", "retried", "restored", "lost"]);
    expect(told[1]).toMatchObject({ address: "a:1", error: away, failures: 2, lostMs: expect.any(Number) });
  });

  test("is by default a warning of the process, not one for each try", () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const watch = new ConnectionWatch();
    for (let i = 0; i < 100; i++) watch.failed(away, "a:1");
    watch.succeeded("a:1");
    expect(warned.mock.calls.map(([text, options]) => [text, Object(options).code])).toEqual([
      [`${away.message}; retrying`, "LOGSTORE_CONNECTION_LOST"],
      [expect.stringMatching(/^a:1 answers again after \d+ ms$/), "LOGSTORE_CONNECTION_RESTORED"],
    ]);
  });

  test("goes to the diagnostics channel, and a callback that throws harms nothing", () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const seen: unknown[] = [];
    const onMessage = (event: unknown) => void seen.push(event);
    subscribe("logstore.client.event", onMessage);
    onTestFinished(() => void unsubscribe("logstore.client.event", onMessage));
    new ConnectionWatch(() => {
      throw new Error("mine");
    }).failed(away, "a:1");
    expect(seen).toEqual([{ type: "lost", address: "a:1", error: away }]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining("mine"), expect.anything());
  });

  test("a group at a port where nobody listens hears of it", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const told = Promise.withResolvers<ClientEvent>();
    const api = new GrpcLogApi(`127.0.0.1:${port}`, { onEvent: told.resolve, timeoutMs: 1000 });
    const events = api.joinGroup({ group: "g", topics: ["t"] })[Symbol.asyncIterator]();
    await expect(events.next()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const event = await told.promise;
    expect(event).toMatchObject({ type: "lost", address: `127.0.0.1:${port}` });
    expect((event as { error: Error }).error.message).toMatch(/ECONNREFUSED/);
    expect((event as { error: Error }).error.message).not.toMatch(/Resolution note|No connection established/);
    api.close();
  });
});

test.each([
  ["Last error: Failed to connect (2026-11-27T12:03:29.742Z)", false, "give `tls: true`"],
  ["Last error: Protocol error (2026-11-27T12:03:29.742Z)", false, "give `tls: true`"],
  ["Last error: Error: 40BD:error:0A00010B:SSL routines:x:wrong version number:y.c:77:\n", true, "leave out `tls`"],
  ["Last error: Error: self-signed certificate", true, "tls.ca"],
])("%s with TLS %s: %s", (reason, usesTls, hint) => {
  const details = `No connection established. ${reason}. Resolution note: `;
  const error = Object.assign(new Error("14"), { code: 14, details, metadata: { get: () => [] } });
  const { message } = fromServiceError(error, "a:1", usesTls);
  expect(message).toContain(hint);
  expect(message).not.toMatch(/Resolution note|No connection established|2026-11-27/);
});
