/**
 * The entry point of the command: installs signal handlers and checks the Node version before
 * anything else is imported.
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
