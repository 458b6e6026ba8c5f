import { steadyPorts } from "../../../packages/engine-jetstream/test/steady-ports.ts";

/** A port that is free now: brokers tell one another their addresses before they listen. */
export async function freePort(): Promise<number> {
  return (await steadyPorts(1))[0]!;
}
