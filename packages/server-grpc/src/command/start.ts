/**
 * The start of the command: what must be in place before anything is loaded. Signals have handlers
 * from here on, and Node is known to be new enough; the rest is imported only then.
 */
import { heapFlags, nodeVersionProblem } from "./node-version.js";
import { hearReloadSignal } from "./reload-signal.js";
import { hearStopSignal } from "./stop-signal.js";

const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) {
  const stopping = hearStopSignal(process, () => process.exit(1));
  const onReload = hearReloadSignal(process);
  const { main } = await import("./main.js");
  await main(heapFlags(process.versions.node), { stopping, onReload });
} else {
  process.stderr.write(`logstore-server: ${problem}\n`);
  process.exitCode = 1;
}
