/**
 * Checks what could prevent the server from starting before anything is created on disk, so that a
 * failed start leaves nothing behind.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { checkServeOptions } from "../server.js";
import type { ServerConfig } from "./config-schema.js";
import { serveOptions } from "./serve-options.js";

/**
 * @throws InvalidArgumentError if certificates or keys cannot be read; the system's error
 * (EADDRINUSE, …) if it cannot listen
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
