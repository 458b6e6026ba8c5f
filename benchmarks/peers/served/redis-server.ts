/** `redis-server` of the PATH, for Redis Streams. */
import { execFileSync } from "node:child_process";
import type { RunningServer, ServerOptions } from "../../src/contestants/served.ts";
import { freePort } from "../../src/processes/free-port.ts";
import { programOf, startProgram } from "./start-program.ts";

export async function start({ directory, durability }: ServerOptions): Promise<RunningServer> {
  const program = programOf("redis-server", "REDIS_SERVER");
  const port = await freePort();
  const fsync = durability === "flushed" ? "always" : "everysec";
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory, "--save", "", "--appendonly", "yes"];
  const server = await startProgram(program, [...args, "--appendfsync", fsync], { port, directory });
  return {
    address: `127.0.0.1:${port}`,
    version: execFileSync(program, ["--version"], { encoding: "utf8" }).trim(),
    settings: `appendonly yes, appendfsync ${fsync}, save ""`,
    ...server,
  };
}
