/** Requests that NATS drops, as a stream does that was created a moment ago. */
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, test } from "vitest";
import { JetStreamEngine } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";
import { SlowLink } from "./slow-link.ts";

describe.skipIf(natsServer() === undefined)("a broker starts although NATS does not answer one request", () => {
  let servers: NatsServers;
  let namespaces = 0;
  beforeAll(async () => {
    servers = await NatsServers.start();
  }, 60_000);
  afterAll(() => servers?.stop());

  test.concurrent.for([
    "$JS.API.INFO",
    "$JS.API.STREAM.INFO.KV_",
    "$JS.API.STREAM.CREATE.KV_",
    "$JS.API.CONSUMER.CREATE.KV_",
    "$JS.API.STREAM.MSG.GET.KV_",
  ])("%s", { timeout: 30_000 }, async (subject, { expect, onTestFinished }) => {
    const silent = await connect({ servers: servers.addresses });
    onTestFinished(() => silent.close());
    silent.subscribe("$JS.LST.>", { callback() {} });
    await silent.flush();
    const link = await SlowLink.to(servers.addresses[0]!);
    onTestFinished(() => link.close());
    link.loseRequest(subject);

    const engine = await JetStreamEngine.open({
      servers: [link.address],
      namespace: `lost-${++namespaces}`,
      replicas: 1,
      broker: "a",
      address: "a.example:7411",
    });
    onTestFinished(() => engine.close());

    expect(link.hasLostRequest).toBe(true);
    expect(engine.unavailable).toBeUndefined();
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
