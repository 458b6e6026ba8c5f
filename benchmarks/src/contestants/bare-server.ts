/** The bare server in a process of its own. */
import { fork } from "node:child_process";
import { endedWithThis, firstMessage, stopped } from "../processes/children.ts";
import { programFile } from "../processes/run-program.ts";
import type { RunningServer, ServerOptions } from "./served.ts";

export async function start({ certificate }: ServerOptions): Promise<RunningServer> {
  const files = certificate === undefined ? [] : [certificate.certFile, certificate.keyFile];
  const server = endedWithThis(fork(programFile("bare-server"), files));
  const port = await firstMessage(server);
  return {
    address: `127.0.0.1:${port}`,
    version: "of the lockfile",
    settings: "messages of the same size, which are not processed",
    pid: server.pid,
    stop: () => stopped(server),
  };
}
