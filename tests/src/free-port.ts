import { steadyPorts } from "../../packages/engine-jetstream/test/steady-ports.ts";

/** Returns a free port of the loopback address that the system gives to no connection. */
export async function freePort(): Promise<number> {
  return (await steadyPorts(1))[0]!;
}
