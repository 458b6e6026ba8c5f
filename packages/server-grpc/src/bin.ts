#!/usr/bin/env node
/** The command `logstore-server`. */
import { Broker } from "@logstore/core";
import { run } from "./run.js";

process.exitCode = await run(process.argv.slice(2), {
  openBroker: ({ data, durability, segmentBytes }) =>
    Broker.open(data, { ...(durability && { durability }), ...(segmentBytes && { segmentBytes }) }),
  print: (line) => console.log(line),
  printError: (line) => console.error(line),
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
});
