#!/usr/bin/env node
/** The command `logstore-server`. */
import { text } from "node:stream/consumers";
import { setFlagsFromString } from "node:v8";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { Broker } from "@logstore/core";
import { hearReloadSignal } from "./command/reload-signal.js";
import { run } from "./command/run.js";

const onReload = hearReloadSignal(process);

// A heap of small objects around large messages: as it is set up, V8 would collect garbage after every few MiB of messages, and
// spend more time on that than on serving. See docs/decisions/0006-let-the-heap-grow.md.
setFlagsFromString("--heap-growing-percent=400");
setFlagsFromString("--external-memory-accounted-in-global-limit");

// It writes what peers send as it is, past our log and its rates: whoever sends odd headers would write what they like, and fill it.
setLogVerbosity(logVerbosity.NONE);

process.exitCode = await run(process.argv.slice(2), {
  environment: process.env,
  openBroker: ({ data, durability, segmentBytes, maxBatchBytes, retentionMs, retentionBytes }, hooks) =>
    Broker.open(data, { durability, segmentBytes, maxBatchBytes, retentionMs, retentionBytes, hooks }),
  print: (line) => console.log(line),
  printError: (line) => console.error(line),
  readInput: () => text(process.stdin),
  untilStopped: () =>
    new Promise((resolve) => {
      let signals = 0;
      const onSignal = () => {
        // Whoever asks twice does not want to wait for clients to finish.
        if (++signals > 1) process.exit(1);
        resolve();
      };
      process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
    }),
  onReload,
});
