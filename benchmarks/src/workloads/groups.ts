/** Consumer groups, with the server and every member in a process of its own. */
import { fork } from "node:child_process";
import { endedWithThis, firstMessage, stopped } from "../processes/children.ts";
import { programFile } from "../processes/run-program.ts";
import { ServerProcess } from "../processes/server-process.ts";
import { progress } from "../reports/progress.ts";
import type { Settings } from "../settings.ts";
import type { Result } from "../statistics/result.ts";
import { coming } from "./groups/coming.ts";
import { reading } from "./groups/reading.ts";
import { scaling } from "./groups/scaling.ts";

export async function consumerGroups({ directory, records, rounds }: Settings): Promise<Result[]> {
  const server = await ServerProcess.start(directory);
  const bareServer = endedWithThis(fork(programFile("bare-server")));
  try {
    const barePort = await firstMessage<number>(bareServer);
    progress("reading");
    const results = await reading(server.address, barePort, records, rounds);
    progress("more partitions and more members");
    results.push(...(await scaling(server.address, records, rounds)));
    progress("members that come, and that are killed");
    return [...results, ...(await coming(server.address, rounds))];
  } finally {
    await Promise.all([stopped(bareServer), server.stop()]);
  }
}
