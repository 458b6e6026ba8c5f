/** Two workers of one cluster open the same store; prints the result of each. */
import cluster from "node:cluster";
import { LogStore } from "@logstore/core";

const [directory] = process.argv.slice(2);
if (cluster.isPrimary) {
  const said = [0, 1].map(() => new Promise((resolve) => cluster.fork().once("message", resolve)));
  process.stdout.write(`${(await Promise.all(said)).join("\n")}\n`, () => process.exit());
} else {
  const said = await LogStore.open(directory).then(
    () => "open",
    (error) => error.code,
  );
  process.send(said);
  setInterval(() => {}, 1000);
}
