/** A broker on three NATS servers of its own. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ServerProcess } from "../processes/server-process.ts";
import { load } from "./list.ts";
import type { RunningServer, ServerModule, ServerOptions } from "./served.ts";

export async function start(options: ServerOptions): Promise<RunningServer> {
  const directory = join(options.directory, "nats");
  await mkdir(directory);
  const { start: startNats } = await load<ServerModule>("peers/served/nats-cluster.ts");
  const nats = await startNats({ ...options, directory });
  try {
    const broker = await ServerProcess.startBroker({ nats: nats.address, name: "a" });
    return {
      address: broker.address,
      version: `of this checkout; ${nats.version}`,
      settings: `one broker, defaults; durability replicated; NATS: ${nats.settings}`,
      pid: broker.pid,
      async stop() {
        await broker.stop();
        await nats.stop();
      },
    };
  } catch (error) {
    await nats.stop();
    throw error;
  }
}
