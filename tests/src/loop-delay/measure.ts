/**
 * How long the largest requests hold the server's event loop: `pnpm loop-delay`, with `--only NAME` for those whose names contain it.
 * Ends with 1 where one holds it for longer than it may, by the processor time of its thread.
 */
import { parseArgs } from "node:util";
import { HeldLoop, MAX_BUSY_MS } from "./held-loop.ts";
import { largeRequests } from "./requests.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
console.log(
  "| request | longest turn, ms of processor | longest delay, ms | until all are answered, ms | most memory, MiB |",
);
console.log("|---|---|---|---|---|");
const loop = await HeldLoop.start();
try {
  for (const request of largeRequests) {
    await request.prepare?.(loop.stranger);
    if (!request.name.includes(values.only)) continue;
    const { busyMs, delayMs, tookMs, rssBytes } = await loop.measure(request);
    const mebibytes = Math.round(rssBytes / 1024 / 1024);
    console.log(
      `| ${request.name} | ${Math.round(busyMs)} | ${Math.round(delayMs)} | ${Math.round(tookMs)} | ${mebibytes} |`,
    );
    if (busyMs > MAX_BUSY_MS) process.exitCode = 1;
  }
} finally {
  await loop.close();
}
