/** Repeatedly checks a server's health, and reports the response times. */
import { setTimeout as sleep } from "node:timers/promises";
import { Stranger } from "../hostile/stranger.ts";

const PAUSE_MS = 2;

const stranger = new Stranger(process.argv[2]!);
let tookMs: number[] = [];

process.on("message", (message) => {
  if (message === "begin") {
    tookMs = [];
    process.send!("begun");
    return;
  }
  tookMs.sort((a, b) => a - b);
  process.send!({ mostMs: tookMs.at(-1) ?? 0, p99Ms: tookMs[Math.floor(tookMs.length * 0.99)] ?? 0 });
});

process.once("disconnect", () => process.exit()); // the parent has exited
await stranger.call("/grpc.health.v1.Health/Check", Buffer.alloc(0));
process.send!("connected");
for (;;) {
  const begun = performance.now();
  await stranger.call("/grpc.health.v1.Health/Check", Buffer.alloc(0));
  tookMs.push(performance.now() - begun);
  await sleep(PAUSE_MS);
}
