/**
 * Measures how long the largest requests block the server's event loop: `pnpm loop-delay`, with
 * `--only NAME` for groups of requests whose name contains it, `--build DIRECTORY` for the build of
 * another checkout, and `--pings` for the effect on another client. Exits with 1 if a request
 * exceeds the limit on the processor time of one turn.
 */
import { parseArgs } from "node:util";
import { type Held, HeldLoop, MAX_BUSY_MS } from "./held-loop.ts";
import { requestGroups } from "./requests.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    build: { type: "string" },
    pings: { type: "boolean", default: false },
  },
});

function cells({ busyMs, delayMs, tookMs, rssBytes, pings }: Held): number[] {
  const times = [busyMs, delayMs, tookMs, ...(pings ? [pings.p99Ms, pings.mostMs] : [])];
  return [...times, rssBytes / 1024 / 1024].map(Math.round);
}

const pingColumns = values.pings ? ["pings, p99, ms", "longest ping, ms"] : [];
const columns = [
  ...["request", "longest turn, ms of processor", "longest delay, ms", "until all are answered, ms"],
  ...[...pingColumns, "most memory, MiB"],
];
console.log(`| ${columns.join(" | ")} |`);
console.log(`|${"---|".repeat(columns.length)}`);
for (const [name, { requests, isDurable }] of Object.entries(requestGroups)) {
  if (!name.includes(values.only)) continue;
  const loop = await HeldLoop.start({ build: values.build, isDurable, withPings: values.pings });
  try {
    for (const request of requests) {
      await request.prepare?.(loop.stranger);
      const held = await loop.measure(request);
      console.log(`| ${[request.name, ...cells(held)].join(" | ")} |`);
      if (held.busyMs > MAX_BUSY_MS) process.exitCode = 1;
    }
  } finally {
    await loop.close();
  }
}
