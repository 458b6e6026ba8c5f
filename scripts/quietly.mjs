/**
 * Runs a command and shows its output only if it fails. The output of a successful install or build
 * (engine warnings, notices, banners) would only hide the output that matters.
 *
 *     node scripts/quietly.mjs "Building" "turbo run build"
 */
import { spawn } from "node:child_process";

const [title, command] = process.argv.slice(2);
process.stdout.write(`${title} …\n`);
const child = spawn(command, {
  shell: true,
  stdio: ["ignore", "pipe", "pipe"],
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
});
const output = [];
for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(chunk));
child.on("close", (code) => {
  if (code === 0) return;
  process.stderr.write(Buffer.concat(output));
  process.exitCode = code ?? 1;
});
