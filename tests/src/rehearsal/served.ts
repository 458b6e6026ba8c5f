/** A server as a user installs and starts it. */
import { join } from "node:path";
import { install } from "./packages.ts";
import { background } from "./processes.ts";
import type { Workshop } from "./workshop.ts";

export interface Served {
  readonly address: string;
  stop(): Promise<void>;
}

export async function serveInstalled(workshop: Workshop, version: string): Promise<Served> {
  const place = workshop.app(`server-${version}`);
  await install(workshop, "npm", place, [`@logstore/server-grpc@${version}`]);
  const bin = join(place.cwd, "node_modules/@logstore/server-grpc/dist/bin.cjs");
  const args = [bin, "--data", "data", "--port", "0"];
  const { match, stop } = await background(process.execPath, args, place, /^logstore listening on (.+)$/);
  return { address: match[1]!, stop };
}
