import { LogStore } from "@logstore/core";
import { RefusedError } from "./account.ts";
import { Accounts } from "./accounts.ts";

const store = await LogStore.open("data/", { partitions: 4 });
const accounts = new Accounts(store);

if ((await accounts.get("ada")) === undefined) await accounts.execute("ada", { type: "open", owner: "Ada" });
await accounts.execute("ada", { type: "deposit", amount: 100 });
await accounts.execute("ada", { type: "withdraw", amount: 30 });
console.log("Ada has", (await accounts.get("ada"))?.balance); // 70 more with each start

try {
  await accounts.execute("ada", { type: "withdraw", amount: 1_000_000 });
} catch (error) {
  if (!(error instanceof RefusedError)) throw error;
  console.log("refused:", error.message);
}
await store.close();
