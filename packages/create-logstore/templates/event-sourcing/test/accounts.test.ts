import assert from "node:assert/strict";
import { test } from "node:test";
import { LogStore } from "@logstore/core";
import { powerCutOutcomes, SimulatedDisk } from "@logstore/core/testing";
import { RefusedError } from "../src/account.ts";
import { Accounts } from "../src/accounts.ts";

test("an account is the sum of its events", async () => {
  const store = await LogStore.open(":memory:", { partitions: 4 });
  const accounts = new Accounts(store);
  await accounts.execute("ada", { type: "open", owner: "Ada" });
  await accounts.execute("ada", { type: "deposit", amount: 100 });
  await accounts.execute("ada", { type: "withdraw", amount: 30 });
  const expected = { owner: "Ada", balance: 70 };
  assert.deepEqual(await accounts.get("ada"), expected);
  assert.deepEqual(await new Accounts(store).get("ada"), expected); // read from the log
  await assert.rejects(accounts.execute("ada", { type: "withdraw", amount: 71 }), RefusedError);
  await store.close();
});

test("nobody withdraws what another one has withdrawn at the same time", async () => {
  const store = await LogStore.open(":memory:", { partitions: 1 });
  const [one, two] = [new Accounts(store), new Accounts(store)];
  await one.execute("ada", { type: "open", owner: "Ada" });
  await one.execute("ada", { type: "deposit", amount: 100 });
  const withdrawals = [one, two, one, two].map((accounts) => accounts.execute("ada", { type: "withdraw", amount: 40 }));
  const outcomes = await Promise.allSettled(withdrawals);
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 2);
  assert.equal((await one.get("ada"))?.balance, 20);
  await store.close();
});

test("nothing that was acknowledged is lost in a power cut", async () => {
  for (const outcome of powerCutOutcomes) {
    const disk = new SimulatedDisk({ seed: 1 });
    const accounts = new Accounts(await LogStore.open("data", { storage: disk, partitions: 4 }));
    await accounts.execute("ada", { type: "open", owner: "Ada" });
    await accounts.execute("ada", { type: "deposit", amount: 100 });
    const store = await LogStore.open("data", { storage: disk.powerCut(outcome) });
    assert.equal((await new Accounts(store).get("ada"))?.balance, 100);
    await store.close();
  }
});
