/** A server in a process of its own that tells how long its event loop was held: by the clock, and by the processor time of its thread. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import { BusyTurns } from "./busy-turns.ts";

const RESOLUTION_MS = 1;

const broker = await Broker.open(":memory:", { segmentBytes: 1024 * 1024 });
const server = await serve(broker, { port: 0 });
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

const busy = new BusyTurns(RESOLUTION_MS);

let rssBytes = 0;
setInterval(() => {
  rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
}, 20);

process.on("message", (message) => {
  if (message === "begin") {
    busy.begin();
    rssBytes = 0;
    delay.reset();
    delay.enable();
    process.send!("begun");
  } else {
    delay.disable();
    process.send!({ delayMs: delay.max / 1e6 - RESOLUTION_MS, busyMs: busy.mostMs, rssBytes });
  }
});
process.send!(server.address);
