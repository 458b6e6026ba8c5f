/** The command `logstore-server`. */
import { ServerProcess } from "../processes/server-process.ts";
import type { RunningServer, ServerOptions } from "./served.ts";

export async function start({ directory, ...options }: ServerOptions): Promise<RunningServer> {
  const server = await ServerProcess.start(directory, options);
  return {
    address: server.address,
    version: options.checkout === undefined ? "of this checkout" : "of the other checkout",
    settings: `defaults; durability ${options.durability}`,
    pid: server.pid,
    stop: () => server.stop(),
  };
}
