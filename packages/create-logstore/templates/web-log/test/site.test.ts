import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { json } from "@logstore/client";
import { testBroker } from "@logstore/testing";
import { type Access, createSite, TOPIC } from "../src/site.ts";
import { Statistics } from "../src/statistics.ts";

test("each request is logged, and counted, also if the server of the log loses power", async (context) => {
  const broker = await testBroker({ topics: { [TOPIC]: 4 } });
  context.after(() => broker.close());
  const statistics = new Statistics();
  void statistics.follow(broker.client);
  const site = createSite(broker.client.producer(TOPIC, { value: json<Access>() }), statistics).listen(0, "127.0.0.1");
  context.after(() => site.close());
  await once(site, "listening");
  const { port } = site.address() as AddressInfo;
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

  assert.equal(await get("/"), "hello\n");
  await broker.powerCut();
  await Promise.all([get("/?page=2"), get("/nowhere"), get("//")]);

  const counts = () => statistics.report().map(({ request, count }) => `${count} ${request}`);
  while (statistics.report().reduce((sum, { count }) => sum + count, 0) < 4) await sleep(10);
  assert.deepEqual(counts().sort(), ["1 404 //", "1 404 /nowhere", "2 200 /"]);
  assert.equal((await broker.read(TOPIC)).length, 4);
});
