/** Readers that do not read, behind a broker that passes their partition on. */
import { once } from "node:events";
import { connect } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { GrpcLogApi } from "@logstore/client";
import { expect, onTestFinished, test } from "vitest";
import { sealedBatch, seededRandom } from "../bytes.ts";
import { consumeStream } from "../raw-consume.ts";
import { MemoryCluster } from "./memory-cluster.ts";

const KIB = 1024;
const BATCHES = 24;

test("what they do not read counts as memory of the broker that they are connected to", async () => {
  const serve = (name: string) => (name === "a" ? { sendBudgetBytes: 1024 * KIB } : {});
  const cluster = await MemoryCluster.start(["a", "b"], ["b"], { serve });
  const [a, b] = [cluster.member("a"), cluster.member("b")];
  const random = seededRandom(1);
  const value = Uint8Array.from({ length: 250 * KIB }, () => random() * 256);
  for (let i = 0; i < BATCHES; i++) await b.broker.produce({ topic: "t", partition: 0, batches: sealedBatch([value]) });
  const session = connect(`http://${a.address}`, { settings: { initialWindowSize: 1 * KIB } });
  onTestFinished(() => session.destroy());
  await once(session, "connect");
  const stalled = Array.from({ length: 8 }, () => consumeStream(session, 0));
  let ended = 0;
  for (const stream of stalled) stream.on("error", () => {}).on("close", () => ended++);
  await expect.poll(() => b.calls.consume, { timeout: 60_000 }).toBe(stalled.length);
  await delay(200);
  const api = new GrpcLogApi(a.address, { onEvent: () => {} });
  onTestFinished(() => api.close());
  let readBytes = 0;
  for await (const event of api.consume({ topic: "t", partition: 0, until: BATCHES })) {
    if (event.type === "batches") readBytes += event.batches.length;
  }
  expect(readBytes).toBeGreaterThan(BATCHES * value.length);
  // Their memory was wanted by others.
  await expect.poll(() => ended, { timeout: 60_000 }).toBeGreaterThan(3);
  const { batches } = await api.fetch({ topic: "t", partition: 0, from: 3, maxBytes: 4 * 1024 * KIB });
  expect(batches.length).toBeLessThan(2 * value.length);
});
