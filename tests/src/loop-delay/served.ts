/**
 * A server in a process of its own that reports how long its event loop was blocked, by the clock
 * and by processor time. Every call passes access control, which permits everything.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { BusyTurns } from "./busy-turns.ts";

const RESOLUTION_MS = 1;

/** The root of a built checkout, and the data directory. */
const [root, directory] = process.argv.slice(2) as [string, string];
const load = (name: string) => import(`${pathToFileURL(root).href}/packages/${name}/dist/index.js`);
const { Broker } = (await load("core")) as typeof import("@logstore/core");
const { serve } = (await load("server-grpc")) as typeof import("@logstore/server-grpc");

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
const busy = new BusyTurns(RESOLUTION_MS);
const broker = await Broker.open(directory, { segmentBytes: 1024 * 1024 });
const everything = { operations: ["*"], topics: ["*"], groups: ["*"] } as const;
const access = { rules: [{ principals: ["anonymous"], ...everything }] };
const server = await serve(broker, { port: 0, access });

let rssBytes = process.memoryUsage.rss();
setInterval(() => {
  rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
}, 20);

process.on("message", async (message) => {
  if (message === "begin") {
    busy.begin();
    rssBytes = 0;
    delay.reset();
    process.send!("begun");
  } else if (message === "tell") {
    process.send!({ delayMs: delay.max / 1e6 - RESOLUTION_MS, busyMs: busy.mostMs, rssBytes });
  } else {
    await server.stop();
    await broker.close();
    process.exit();
  }
});
process.once("disconnect", () => process.exit()); // the parent has exited
process.send!(server.address);
