/** The contract of engines, on one NATS server and on a cluster of three. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { engineContract } from "../../core/test/engine-contract/engine-contract.ts";
import { JetStreamEngine } from "../src/index.ts";
import { NatsServers, type NatsServersOptions, natsServer, SKIPPED } from "./nats-servers.ts";

function contractOn(name: string, options: NatsServersOptions, replicas: 1 | 3, syncsAlways: boolean): void {
  describe(name, () => {
    let servers: NatsServers;
    let homes = 0;
    beforeAll(async () => {
      servers = await NatsServers.start(options);
    }, 60_000);
    afterAll(() => servers?.stop());

    engineContract("JetStream", true, async () => {
      const namespace = `test-${++homes}`;
      const open = () => JetStreamEngine.open({ servers: servers.addresses, namespace, replicas, syncsAlways });
      return { isShared: true, open };
    });
  });
}

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
else {
  contractOn("one server", {}, 1, false);
  contractOn("three servers", { count: 3 }, 3, false);
}
