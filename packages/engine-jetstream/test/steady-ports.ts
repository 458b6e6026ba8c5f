/**
 * Ports on loopback for servers that are killed and started again: they are below those that the
 * system gives to connections, which could take the port meanwhile.
 */
import { once } from "node:events";
import { createServer } from "node:net";

const LOWEST = 15_000;
const HIGHEST = 32_000;
/** Those of this process. */
const given = new Set<number>();

export async function steadyPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch {
    return false;
  }
  await once(server.close(), "close");
  return true;
}
