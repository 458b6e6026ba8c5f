/** What the NATS servers and the options say about a connection, and what changes meanwhile. */
import { Broker } from "@logstore/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { batch } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine, type JetStreamEvent } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";

test.each(["/nowhere/nats.creds", import.meta.filename])("credentials that cannot be read: %s", async (file) => {
  const opening = JetStreamEngine.open({ servers: ["nats://127.0.0.1:1"], credentialsFile: file });
  await expect(opening).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining(file) });
});

describe.skipIf(natsServer() === undefined)("max_payload", () => {
  test("is lowered while a batch is written: the write ends, and the limit is the new one", async () => {
    const maxPayloadBytes = 1024 * 1024;
    const servers = await NatsServers.start({ maxPayloadBytes });
    onTestFinished(() => servers.stop());
    const outcomes: string[] = [];
    const onEvent = (event: JetStreamEvent) => event.type === "outcome" && outcomes.push(event.outcome);
    const engine = await JetStreamEngine.open({
      servers: servers.addresses,
      replicas: 1,
      requestTimeoutMs: 1_000,
      onEvent,
    });
    const broker = await Broker.openOn(engine);
    onTestFinished(() => broker.close());
    await broker.createTopic({ topic: "t", partitions: 1 });
    const append = (bytes: number) =>
      broker.produce({ topic: "t", partition: 0, batches: batch([Buffer.alloc(bytes, "x").toString()]) });
    await append(600_000);

    servers.signal(0, "SIGSTOP");
    const inFlight = append(600_000);
    inFlight.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    await servers.restart(0, (config) => config.replace(`${maxPayloadBytes}`, "262144"));

    const lowered = { code: "UNAVAILABLE", message: expect.stringContaining("max_payload") };
    await expect(inFlight).rejects.toMatchObject(lowered);
    expect(outcomes).toEqual(["too_large"]);
    const tooLarge = { code: "BATCH_TOO_LARGE", message: expect.stringContaining("max_payload"), expected: 258_048 };
    await expect(append(600_000)).rejects.toMatchObject(tooLarge);
    const together = await Promise.all(Array.from({ length: 8 }, () => append(100_000)));
    expect(together.map(({ baseOffset }) => baseOffset)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
