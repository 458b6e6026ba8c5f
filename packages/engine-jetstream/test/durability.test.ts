/**
 * What acknowledgements say, and that `flushed` is offered only where the NATS servers sync always.
 */
import { Broker } from "@logstore/core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { batch } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine, type JetStreamEngineOptions, type JetStreamEvent } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";

describe.skipIf(natsServer() === undefined)("durability", () => {
  let byDefault: NatsServers;
  let always: NatsServers;
  beforeAll(async () => {
    [byDefault, always] = await Promise.all([NatsServers.start(), NatsServers.start({ count: 3, syncsAlways: true })]);
  }, 60_000);
  afterAll(() => Promise.all([byDefault?.stop(), always?.stop()]));

  async function opened(options: JetStreamEngineOptions) {
    const broker = await Broker.openOn(await JetStreamEngine.open(options));
    onTestFinished(() => broker.close());
    const { effectiveConfig, durabilities } = await broker.createTopic({ topic: "t", partitions: 1 });
    const append = (durability?: "written" | "replicated" | "flushed") =>
      broker.produce({ topic: "t", partition: 0, batches: batch(["a"]), durability });
    return { default: effectiveConfig.durability, durabilities, append };
  }

  test("three replicas: replicated by default, as describeTopic says; flushed is refused", async () => {
    const found = await opened({ servers: always.addresses, namespace: "replicated" });
    expect(found).toMatchObject({ default: "replicated", durabilities: ["replicated"] });
    expect(await found.append()).toMatchObject({ durability: "replicated" });
    await expect(found.append("flushed")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(found.append("written")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("servers that sync always, as declared and found: appends are flushed", async () => {
    const { addresses: servers, monitoringUrls } = always;
    const found = await opened({ servers, monitoringUrls, syncsAlways: true, namespace: "flushed" });
    expect(found).toMatchObject({ default: "replicated", durabilities: ["replicated", "flushed"] });
    expect(await found.append("flushed")).toMatchObject({ durability: "flushed" });
  });

  test("a server that does not sync always, as declared, is found out: the engine does not open", async () => {
    const { addresses: servers, monitoringUrls } = byDefault;
    const opening = JetStreamEngine.open({ servers, monitoringUrls, syncsAlways: true, replicas: 1 });
    await expect(opening).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/^NATS server n1 .* does not have sync_interval: always/),
    });
    const found = await opened({ servers, monitoringUrls, replicas: 1 });
    expect(found).toMatchObject({ default: "written", durabilities: ["written"] });
  });

  test("a server that does not sync always any more: flushed is not offered, and everything else goes on", async () => {
    const intervals = vi.spyOn(globalThis, "setInterval");
    onTestFinished(() => intervals.mockRestore());
    const node = await NatsServers.start({ syncsAlways: true });
    onTestFinished(() => node.stop());
    const events: JetStreamEvent[] = [];
    const engine = await JetStreamEngine.open({
      servers: node.addresses,
      monitoringUrls: node.monitoringUrls,
      syncsAlways: true,
      replicas: 1,
      onEvent: (event) => void events.push(event),
    });
    const everyMinute = intervals.mock.calls.filter(([, ms]) => ms === 60_000).map(([callback]) => callback);
    const broker = await Broker.openOn(engine);
    onTestFinished(() => broker.close());
    await broker.createTopic({ topic: "flushed", partitions: 1, config: { durability: "flushed" } });
    await broker.createTopic({ topic: "written", partitions: 1 });
    const append = (topic: string, durability?: "flushed") =>
      broker.produce({ topic, partition: 0, batches: batch(["a"]), durability });
    const ask = async () => {
      for (const each of everyMinute) each();
      await new Promise((resolve) => setTimeout(resolve, 300));
    };
    const health = async () => [await broker.topicHealth("flushed"), await broker.topicHealth("written")];
    await ask();
    expect(await append("flushed")).toMatchObject({ durability: "flushed" });
    expect(await append("written")).toMatchObject({ durability: "flushed" });
    expect(await health()).toEqual(["serving", "serving"]);

    await node.restart(0, (config) => config.replace(", sync_interval: always", ""));
    await ask();
    const lost = () => events.filter(({ type }) => type === "sync_lost");
    await expect.poll(lost).toMatchObject([{ error: { code: "UNAVAILABLE" } }]);
    const refused = { code: "UNAVAILABLE", message: expect.stringMatching(/^flushed .* NATS server n1 .* restart/) };
    await expect(append("flushed")).rejects.toMatchObject(refused);
    await expect(append("written", "flushed")).rejects.toMatchObject(refused);
    expect(await append("written")).toMatchObject({ durability: "written", baseOffset: 1 });
    expect((await broker.describeTopic("written")).durabilities).toEqual(["written"]);
    expect(await health()).toEqual(["failed", "serving"]);

    await node.restart(0, (config) => config.replace("store_dir:", "sync_interval: always, store_dir:"));
    await ask();
    await expect(append("flushed")).rejects.toMatchObject(refused);
    expect(lost()).toHaveLength(1);
  });

  test("a server that cannot be asked is reported, and what was declared stands", async () => {
    const events: JetStreamEvent[] = [];
    const onEvent = (event: JetStreamEvent) => void events.push(event);
    const monitoringUrls = ["http://127.0.0.1:1"];
    const options = { servers: always.addresses, monitoringUrls, syncsAlways: true, onEvent, namespace: "unasked" };
    expect(await opened(options)).toMatchObject({ durabilities: ["replicated", "flushed"] });
    expect(events.filter(({ type }) => type === "sync_unknown")).toHaveLength(1);
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
