/** The bare server in a process of its own. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { endedWithThis, stopped } from "../processes/children.ts";
import { programFile } from "../processes/run-program.ts";
import type { RunningServer, ServerOptions } from "./served.ts";

export async function start({ certificate }: ServerOptions): Promise<RunningServer> {
  const files = certificate === undefined ? [] : [certificate.certFile, certificate.keyFile];
  const server = endedWithThis(fork(programFile("bare-server"), files));
  const [port] = await once(server, "message");
  return {
    address: `127.0.0.1:${port}`,
    version: "of the lockfile",
    settings: "messages of the same size, which are not processed",
    pid: server.pid,
    stop: () => stopped(server),
  };
}
