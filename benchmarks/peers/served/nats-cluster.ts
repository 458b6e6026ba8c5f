/** Three `nats-server`s with JetStream, which replicate each stream three times. */
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningServer, ServerOptions } from "../../src/contestants/served.ts";
import { freePort } from "../../src/processes/free-port.ts";
import { natsProgram } from "./nats-server.ts";
import { START_TIMEOUT_MS, startProgram } from "./start-program.ts";

const NODES = ["n1", "n2", "n3"];
const ASK_AGAIN_MS = 100;

export async function start({ directory }: ServerOptions): Promise<RunningServer> {
  const program = natsProgram();
  const nodes: { name: string; port: number; routePort: number }[] = [];
  for (const name of NODES) nodes.push({ name, port: await freePort(), routePort: await freePort() });
  const routes = nodes.map(({ routePort }) => `nats-route://127.0.0.1:${routePort}`);
  const running: Awaited<ReturnType<typeof startProgram>>[] = [];
  const stop = async () => void (await Promise.all(running.map((node) => node.stop())));
  try {
    for (const { name, port, routePort } of nodes) {
      const own = join(directory, name);
      await mkdir(own);
      const config = join(own, "nats.conf");
      const lines = [
        `server_name: ${name}`,
        `listen: "127.0.0.1:${port}"`,
        `jetstream { store_dir: "${join(own, "store")}" }`,
        `cluster { name: benchmark, listen: "127.0.0.1:${routePort}", routes: ${JSON.stringify(routes)} }`,
      ];
      await writeFile(config, `${lines.join("\n")}\n`);
      running.push(await startProgram(program, ["-c", config], { port, directory: own }));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
    await ready(addresses);
    return {
      address: addresses,
      version: execFileSync(program, ["--version"], { encoding: "utf8" }).trim(),
      settings: "three servers, file storage, three replicas, sync_interval 2m",
      pid: running[0]!.pid,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** When JetStream has a leader. */
async function ready(addresses: string): Promise<void> {
  const { connect } = await import("@nats-io/transport-node");
  for (const end = performance.now() + START_TIMEOUT_MS; performance.now() < end; await sleep(ASK_AGAIN_MS)) {
    try {
      const connection = await connect({ servers: addresses.split(","), timeout: 1_000, reconnect: false });
      const answer = await connection.request("$JS.API.INFO", undefined, { timeout: 1_000 });
      await connection.close();
      if (answer.json<{ error?: unknown }>().error === undefined) return;
    } catch {
      // not yet
    }
  }
  throw new Error("the NATS servers have no leader");
}
