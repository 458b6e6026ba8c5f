/**
 * What may keep a server from starting, looked at before anything is made on the disk: a failed
 * start leaves nothing behind.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { checkServeOptions } from "../server.js";
import type { ServerConfig } from "./config-schema.js";
import { serveOptions } from "./serve-options.js";

/**
 * @throws InvalidArgumentError where certificates or keys cannot be read; the system's error
 * (EADDRINUSE, …) where it cannot listen
 */
export async function checkStart(config: ServerConfig): Promise<void> {
  await checkServeOptions(serveOptions(config));
  await checkCanListen(config.listen);
}

/** The port is free again when this resolves. */
async function checkCanListen({ host, port }: ServerConfig["listen"]): Promise<void> {
  const server = createServer();
  server.listen(port, host);
  await once(server, "listening");
  server.close();
  await once(server, "close");
}
