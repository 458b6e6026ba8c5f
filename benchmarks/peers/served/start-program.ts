/** Finds and starts the program of a server, and waits until it accepts connections. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Skipped } from "../../src/contestants/embedded.ts";
import { endedWithThis, stopped } from "../../src/processes/children.ts";

export const START_TIMEOUT_MS = 120_000;
const ASK_AGAIN_MS = 50;

interface StartOptions {
  /** That it listens on, of the loopback address. */
  readonly port: number;
  /** For its output. */
  readonly directory: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** User that it runs as. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** The program that the environment variable names, or the one of the PATH and the folders. */
export function programOf(name: string, variable: string, folders: readonly string[] = []): string {
  const named = process.env[variable];
  if (named !== undefined) return named;
  const all = [...(process.env["PATH"] ?? "").split(delimiter), ...folders];
  const found = all.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found === undefined) throw new Skipped(`there is no ${name}: install it, or name it in ${variable}`);
  return found;
}

export async function startProgram(
  program: string,
  args: readonly string[],
  { port, directory, environment = {}, uid, gid }: StartOptions,
): Promise<{ readonly pid: number | undefined; stop(): Promise<void> }> {
  const log = join(directory, "output.log");
  const output = await open(log, "a");
  const server = endedWithThis(
    spawn(program, args, {
      stdio: ["ignore", output.fd, output.fd],
      env: { ...process.env, ...environment },
      ...(uid === undefined ? {} : { uid, gid }),
    }),
  );
  let failure = "";
  server.on("error", ({ message }) => {
    failure = message;
  });
  await output.close();
  const stop = () => stopped(server);
  const end = performance.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (server.exitCode !== null || server.signalCode !== null || performance.now() > end) {
      await stop();
      const text = execFileSync("tail", ["-n", "20", log], { encoding: "utf8" });
      throw new Error(`${program} did not start: ${failure}\n${text}`);
    }
    await sleep(ASK_AGAIN_MS);
  }
  return { pid: server.pid, stop };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
