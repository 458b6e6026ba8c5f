/**
 * Measures how long large requests of groups block the event loop: processor time in one turn,
 * delay of the loop, and total time. Usage: `node --import ./test/from-source.mjs
 * test/group-delay/main.ts [dist directory of another build]`.
 */
import { pathToFileURL } from "node:url";
import { builtIn, ownBuild } from "./build.js";
import { measureAll } from "./requests.js";

const [directory] = process.argv.slice(2);
const build = directory === undefined ? ownBuild : await builtIn(pathToFileURL(directory));
for (const { name, maxDelayMs, maxCpuMs, tookMs } of await measureAll(build)) {
  const times = [maxCpuMs, maxDelayMs, tookMs].map((ms) => `${String(ms).padStart(6)} ms`);
  process.stdout.write(`${times.join(" ")}  ${name}\n`);
}
process.exit();
