/** What requests leave behind in the NATS server. */
import { onTestFinished, test } from "vitest";
import { batch, lines } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";

const READS = 50;

async function subscriptions(servers: NatsServers): Promise<number> {
  const response = await fetch(`${servers.monitoringUrls[0]}/connz`);
  const { connections } = (await response.json()) as { connections: { subscriptions: number }[] };
  return connections.reduce((sum, each) => sum + each.subscriptions, 0);
}

test.skipIf(natsServer() === undefined)("reads and listings leave no subscription behind", async ({ expect }) => {
  const servers = await NatsServers.start();
  onTestFinished(() => servers.stop());
  const engine = await JetStreamEngine.open({ servers: servers.addresses, replicas: 1 });
  onTestFinished(() => engine.close());
  const created = await engine.catalogue.create("t", 1, {});
  await created.log(0).appendBatches(batch(["a", "b"]));
  await created.close();
  await engine.catalogue.find();
  const before = await subscriptions(servers);

  for (let i = 0; i < READS; i++) {
    const [found] = (await engine.catalogue.find()).topics;
    const topic = await engine.catalogue.open(found!); // nothing of it is in memory
    expect(await lines(topic.log(0))).toEqual(["0 a", "1 b"]);
    await topic.close();
  }

  await expect.poll(() => subscriptions(servers)).toBe(before);
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
