/** Two processes of `logstore-server` on one NATS server: one is stopped, the other one killed. */
import { connect, json } from "@logstore/client";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { NatsServers, natsServer, SKIPPED } from "../../../packages/engine-jetstream/test/nats-servers.ts";
import { freePort } from "../free-port.ts";
import { ServerProcess } from "../server-process.ts";

const PARTITIONS = 4;
const RUN_MS = 1_500;

interface Value {
  readonly partition: number;
  readonly n: number;
}

describe.skipIf(natsServer() === undefined)("logstore-server on JetStream", () => {
  let nats: NatsServers;
  beforeAll(async () => {
    nats = await NatsServers.start();
  }, 60_000);
  afterAll(() => nats?.stop());

  async function start(broker: string, port: number): Promise<ServerProcess> {
    const common = ["--engine", "jetstream", "--nats", nats.addresses.join(), "--cluster-lease-ms", "1200"];
    const args = [...common, "--cluster-broker", broker, "--cluster-replicas", "1"];
    const server = await ServerProcess.start(undefined, { port, args });
    onTestFinished(async () => void (await server.kill()));
    return server;
  }

  test("what was acknowledged is read once, in order, whichever broker stops or dies", async () => {
    const ports = [await freePort(), await freePort()] as const;
    const [a, b] = [await start("a", ports[0]), await start("b", ports[1])];
    const client = connect([a.address, b.address], { onEvent: () => {} });
    onTestFinished(() => client.close());
    await client.createTopic("t", { partitions: PARTITIONS });

    const producer = client.producer("t", { value: json<Value>() });
    const acked = new Array<number>(PARTITIONS).fill(0);
    let isOver = false;
    const produce = async (partition: number) => {
      for (let n = 0; !isOver; n++) {
        await producer.send({ partition, value: { partition, n } });
        acked[partition] = n + 1;
      }
    };
    const producing = acked.map((_, partition) => produce(partition));
    const run = () => new Promise((resolve) => setTimeout(resolve, RUN_MS));

    await run();
    expect(await a.stop()).toBe(0);
    await run();
    await start("a", ports[0]);
    await run();
    await b.kill();
    await run();
    isOver = true;
    await Promise.all(producing);
    await producer.close();

    const read = acked.map((): number[] => []);
    const reader = client.reader({ topics: ["t"], until: "latest", value: json<Value>() });
    for await (const { partition, value } of reader) read[partition]!.push(value.n);
    for (const [partition, count] of acked.entries()) {
      expect(count).toBeGreaterThan(0);
      expect(read[partition]).toEqual(Array.from({ length: count }, (_, n) => n));
    }
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
