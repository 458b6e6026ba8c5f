/** The command `logstore-server`. */
import { ServerProcess } from "../processes/server-process.ts";
import type { RunningServer, ServerOptions } from "./served.ts";

export async function start({ directory, durability, certificate }: ServerOptions): Promise<RunningServer> {
  const server = await ServerProcess.start(directory, { certificate, durability });
  return {
    address: server.address,
    version: "of this checkout",
    settings: `defaults; durability ${durability}`,
    pid: server.pid,
    stop: () => server.stop(),
  };
}
