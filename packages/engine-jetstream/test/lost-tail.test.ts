/** A NATS server that comes back with an older copy of its files: acknowledged records are gone. */
import { cp, rm } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { batch, codeOf, lines } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine, type JetStreamEvent } from "../src/index.ts";
import { NatsServers, natsServer } from "./nats-servers.ts";

test.skipIf(natsServer() === undefined)(
  "the log goes on from what an older copy of the files has",
  async () => {
    const servers = await NatsServers.start();
    onTestFinished(() => servers.stop());
    const files = servers.storeDirectory(0);
    const events: JetStreamEvent[] = [];
    const engine = await JetStreamEngine.open({
      servers: servers.addresses,
      replicas: 1,
      requestTimeoutMs: 500,
      onEvent: (event) => events.push(event),
    });
    onTestFinished(() => engine.close());
    const log = (await engine.catalogue.create("t", 1, {})).log(0);
    for (const value of ["a", "b"]) await log.appendBatches(batch([value]));
    await servers.stopNode(0);
    await cp(files, `${files}-older`, { recursive: true });
    servers.startNode(0);
    await servers.ready();
    for (const value of ["c", "d", "e"]) await log.appendBatches(batch([value]));
    await servers.stopNode(0);
    await rm(files, { recursive: true });
    await cp(`${files}-older`, files, { recursive: true });
    servers.startNode(0);
    await servers.ready();
    expect(await codeOf(log.appendBatches(batch(["x"])))).toBe("UNAVAILABLE");
    await log.appendBatches(batch(["x"]));
    expect(await lines(log)).toEqual(["0 a", "1 b", "2 x"]);
    const lost = events.filter(({ type }) => type === "records_lost");
    expect(lost).toEqual([{ type: "records_lost", topic: "t", partition: 0, from: 2, to: 5 }]);
  },
  60_000,
);
