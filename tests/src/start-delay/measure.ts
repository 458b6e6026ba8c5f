/**
 * Measures how long opening and closing many topics takes: `pnpm start-delay --topics 1000
 * --partitions 1 --records 1 --seed 1`, on a data directory of its own. Exits with 1 if a turn of
 * the event loop exceeds the limit on its processor time.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { removeDirectory, temporaryDirectory } from "../homes.ts";
import { MAX_BUSY_MS } from "../loop-delay/held-loop.ts";
import type { Step } from "./steps.ts";

const { values } = parseArgs({
  options: {
    topics: { type: "string", default: "1000" },
    partitions: { type: "string", default: "1" },
    records: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
  },
});

const directory = await temporaryDirectory();
const numbers = [values.topics, values.partitions, values.records, values.seed];
console.log(`topics ${values.topics}, partitions ${values.partitions}, records ${values.records}, seed ${values.seed}`);
console.log("| step | took, ms | longest turn, ms of processor | longest delay, ms |");
console.log("|---|---|---|---|");
try {
  for (const phase of ["fill", "restart"]) {
    // A separate process for each step, so that nothing is compiled or cached before.
    const child = fork(
      fileURLToPath(new URL("steps.ts", import.meta.url)),
      [phase, join(directory, "data"), ...numbers],
      {
        env: { UV_THREADPOOL_SIZE: "128", ...process.env },
      },
    );
    child.on("message", (message) => {
      const { name, tookMs, busyMs, delayMs } = message as Step;
      console.log(`| ${name} | ${Math.round(tookMs)} | ${Math.round(busyMs)} | ${Math.round(delayMs)} |`);
      if (busyMs > MAX_BUSY_MS) process.exitCode = 1;
    });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`${phase} ended with ${code}`);
  }
} finally {
  await removeDirectory(directory);
}
