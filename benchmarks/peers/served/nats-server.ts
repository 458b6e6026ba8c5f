/** `nats-server` with JetStream: of NATS_SERVER, of the PATH, or built by `go install`. */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningServer, ServerOptions } from "../../src/contestants/served.ts";
import { freePort } from "../../src/processes/free-port.ts";
import { programOf, startProgram } from "./start-program.ts";

/** Where `pnpm bench:install` puts it, if there is Go. */
const INSTALLED = fileURLToPath(new URL("../bin", import.meta.url));

export function natsProgram(): string {
  return programOf("nats-server", "NATS_SERVER", [INSTALLED]);
}

export async function start({ directory, durability }: ServerOptions): Promise<RunningServer> {
  const program = natsProgram();
  const port = await freePort();
  const syncInterval = durability === "flushed" ? "always" : "2m";
  const config = join(directory, "nats.conf");
  await writeFile(
    config,
    `listen: 127.0.0.1:${port}\njetstream { store_dir: "${join(directory, "store")}", sync_interval: ${syncInterval} }\n`,
  );
  const server = await startProgram(program, ["-c", config], { port, directory });
  return {
    address: `127.0.0.1:${port}`,
    version: execFileSync(program, ["--version"], { encoding: "utf8" }).trim(),
    settings: `file storage, sync_interval ${syncInterval}, otherwise defaults`,
    ...server,
  };
}
