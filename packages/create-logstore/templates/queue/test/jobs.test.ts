import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { testBroker } from "@logstore/testing";
import { type Email, enqueue, GROUP, startWorker, TOPIC } from "../src/jobs.ts";

const emails = Array.from({ length: 100 }, (_, i): Email => ({ to: `${i % 10}@example.com`, subject: `Number ${i}` }));

async function brokerFor(test: TestContext) {
  const broker = await testBroker({ topics: { [TOPIC]: 4 } });
  test.after(() => broker.close());
  return broker;
}

test("every job is done, those of one recipient in order, also if the server loses power", async (context) => {
  const broker = await brokerFor(context);
  const sent: Email[] = [];
  startWorker(broker.client, async (email) => void sent.push(email));
  startWorker(broker.connect(), async (email) => void sent.push(email));
  await enqueue(broker.client, emails.slice(0, 50));
  await broker.powerCut();
  await enqueue(broker.client, emails.slice(50));
  await broker.caughtUp(GROUP);
  const done = new Map(sent.map((email) => [email.subject, email])); // a job may be done twice
  const byRecipient = (some: Iterable<Email>) => Map.groupBy(some, ({ to }) => to);
  assert.deepEqual(byRecipient(done.values()), byRecipient(emails));
});

test("a job that fails is tried again, and parked when it keeps failing", async (context) => {
  const broker = await brokerFor(context);
  const sent: string[] = [];
  startWorker(broker.client, async ({ to }, attempt) => {
    if (to === "never" || (to === "later" && attempt < 2)) throw new Error(`cannot reach ${to}`);
    sent.push(to);
  });
  await enqueue(broker.client, [
    { to: "never", subject: "" },
    { to: "later", subject: "" },
  ]);
  await broker.caughtUp(GROUP);
  assert.deepEqual(sent, ["later"]);
  const parked = await Array.fromAsync(broker.client.parked(TOPIC, GROUP));
  assert.deepEqual(
    parked.map(({ reason, attempts }) => [reason, attempts]),
    [["cannot reach never", 3]],
  );
});
