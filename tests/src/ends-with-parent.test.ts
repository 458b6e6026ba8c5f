/** Processes that a test starts exit with it, even if the test never reaches its clean-up. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "./eventually.ts";
import { removeDirectory, temporaryDirectory } from "./homes.ts";

const serverProcess = new URL("server-process.ts", import.meta.url).href;

test("a server exits when the process that started it is killed", async () => {
  const directory = await temporaryDirectory();
  onTestFinished(() => removeDirectory(directory));
  const code = `
    const { ServerProcess } = await import(${JSON.stringify(serverProcess)});
    const server = await ServerProcess.start(${JSON.stringify(directory)});
    console.log(server.pid);
    setInterval(() => {}, 1_000);`;
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const starter = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void starter.kill("SIGKILL"));
  const [said] = (await once(starter.stdout, "data")) as [Buffer];
  const pid = Number(said.toString());
  expect(isAlive(pid)).toBe(true);
  starter.kill("SIGKILL");
  await eventually(() => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
