#!/usr/bin/env node
/**
 * The command `logstore-server`: what must be in place before anything is loaded. Signals have handlers from here on, and Node is
 * known to be new enough; the rest is imported only then.
 */
import { heapFlags, nodeVersionProblem } from "./command/node-version.js";
import { hearReloadSignal } from "./command/reload-signal.js";
import { hearStopSignal } from "./command/stop-signal.js";

const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) {
  const stopping = hearStopSignal(process, () => process.exit(1));
  const onReload = hearReloadSignal(process);
  const { main } = await import("./command/main.js");
  await main(heapFlags(process.versions.node), { stopping, onReload });
} else {
  process.stderr.write(`logstore-server: ${problem}\n`);
  process.exitCode = 1;
}
