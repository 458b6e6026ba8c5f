/** A server in a process of its own that tells how long its event loop was held: by the clock, and by the processor time of its thread. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";

const RESOLUTION_MS = 1;

const broker = await Broker.open(":memory:", { segmentBytes: 1024 * 1024 });
const server = await serve(broker, { port: 0 });
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

/** What one turn of the loop took of the processor: others on the machine do not show in it. */
let mostBusyMs = 0;
let last = busyMs();
setInterval(() => {
  const now = busyMs();
  mostBusyMs = Math.max(mostBusyMs, now - last);
  last = now;
}, RESOLUTION_MS);

function busyMs(): number {
  // Newer than the types that the packages are compiled with.
  const { user, system } = (process as unknown as { threadCpuUsage(): NodeJS.CpuUsage }).threadCpuUsage();
  return (user + system) / 1_000;
}

let rssBytes = 0;
setInterval(() => {
  rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
}, 20);

process.on("message", (message) => {
  if (message === "begin") {
    mostBusyMs = 0;
    rssBytes = 0;
    delay.reset();
    delay.enable();
    process.send!("begun");
  } else {
    delay.disable();
    process.send!({ delayMs: delay.max / 1e6 - RESOLUTION_MS, busyMs: mostBusyMs, rssBytes });
  }
});
process.send!(server.address);
