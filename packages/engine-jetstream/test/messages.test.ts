/** How a log is spread over messages, and found again in them. */
import { randomBytes } from "node:crypto";
import { RecordBatchBuilder } from "@logstore/codec";
import type { PartitionLog } from "@logstore/core/engine";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { batchesIn, codeOf, lines, numbered } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine, type JetStreamEngineOptions } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";

function batchOf(byteLength: number): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append(null, randomBytes(byteLength), 1_000);
  return builder.seal();
}

describe.skipIf(natsServer() === undefined)("messages", () => {
  let servers: NatsServers;
  let namespaces = 0;
  beforeAll(async () => {
    servers = await NatsServers.start({ maxPayloadBytes: 1024 * 1024 });
  }, 60_000);
  afterAll(() => servers?.stop());

  function place() {
    const namespace = `messages-${++namespaces}`;
    return async (options: JetStreamEngineOptions = {}): Promise<PartitionLog> => {
      const engine = await JetStreamEngine.open({ servers: servers.addresses, namespace, replicas: 1, ...options });
      const [found] = (await engine.catalogue.find()).topics;
      const topic = await (found === undefined ? engine.catalogue.create("t", 1, {}) : engine.catalogue.open(found));
      onTestFinished(async () => {
        await topic.close();
        await engine.close();
      });
      return topic.log(0);
    };
  }

  test("an append larger than a message is spread over several; a batch that fits into none is refused, and says why", async () => {
    const open = place();
    const log = await open();
    const sealed = [700_000, 200_000, 700_000, 900_000, 10].map(batchOf);
    const copies = sealed.map((bytes) => Buffer.from(bytes.subarray(36)));
    expect(await log.appendBatches(Buffer.concat(sealed))).toMatchObject({ baseOffset: 0, nextOffset: 5 });
    const refused = log.appendBatches(batchOf(1_050_000));
    await expect(refused).rejects.toMatchObject({ code: "BATCH_TOO_LARGE", expected: 1024 * 1024 - 4096 });
    await expect(refused).rejects.toThrow("max_payload");
    for (const each of [log, await open()]) {
      const found: Buffer[] = [];
      const reader = each.reader(0);
      for (let next = await reader.next({ maxBytes: 100_000 }); next; next = await reader.next({ maxBytes: 100_000 })) {
        for (const { bytes } of batchesIn(next.bytes)) found.push(Buffer.from(bytes.subarray(36)));
      }
      expect(found.map((bytes, i) => bytes.equals(copies[i]!))).toEqual([true, true, true, true, true]);
    }
  });

  test("a broker that has read nothing finds offsets, times and producers among hundreds of messages", async () => {
    const open = place();
    const log = await open();
    const times: number[] = [];
    for (let i = 0; i < 600; i++) {
      await log.appendBatches(numbered([`${i}`, "more"], 2 * i));
      times.push((await log.appendTimeAt(2 * i))!);
    }
    await log.deleteRecords(151);
    const other = await open({ cacheBytes: 0 });
    expect(other.offsets).toMatchObject({ logStart: 151, highWatermark: 1_200, logEnd: 1_200 });
    for (const offset of [151, 152, 700, 701, 1_199]) {
      const [first] = batchesIn((await other.reader(offset).next({ maxBytes: 1 }))!.bytes);
      expect([first!.baseOffset, first!.nextOffset]).toEqual([offset - (offset % 2), offset - (offset % 2) + 2]);
      expect(await other.appendTimeAt(offset)).toBe(times[Math.floor(offset / 2)]);
    }
    for (const i of [80, 300, 599]) {
      const first = times.indexOf(times[i]!);
      expect(await other.resolve({ time: times[i]! })).toBe(Math.max(2 * first, 151));
    }
    expect(await other.resolve({ time: 0 })).toBe(151);
    expect(await other.resolve({ time: times[599]! + 1 })).toBe(1_200);
    expect((await lines(other)).length).toBe(1_200 - 151);
    // It takes over: from the state records and what follows, it knows the producer's last batches.
    const again = { baseOffset: 1_190, duplicate: true };
    expect(await other.appendBatches(numbered(["595", "more"], 1_190))).toMatchObject(again);
    expect(await codeOf(other.appendBatches(numbered(["x"], 1_300)))).toBe("OUT_OF_ORDER_SEQUENCE");
    expect(await other.appendBatches(numbered(["x"], 1_200))).toMatchObject({ baseOffset: 1_200, duplicate: false });
  });

  test("options are checked, and a cluster that does not answer is unavailable", async () => {
    for (const bad of [{ replicas: 2 }, { namespace: "a.b" }, { servers: [] }, { replica: 3 }]) {
      expect(await codeOf(JetStreamEngine.open(bad as never))).toBe("INVALID_ARGUMENT");
    }
    expect(await codeOf(JetStreamEngine.open({ servers: ["nats://127.0.0.1:1"] }))).toBe("UNAVAILABLE");
    expect(await codeOf(JetStreamEngine.open({ servers: servers.addresses, replicas: 3 }))).toBe("INVALID_ARGUMENT"); // one server
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
