/**
 * The servers of a run, which workloads share: they run side by side, idle but for the contestant
 * whose turn it is.
 */
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Absent, absenceBy, load, type ServedContestant } from "../contestants/list.ts";
import type { RunningServer, ServerModule, ServerOptions } from "../contestants/served.ts";

export type StartedServer = RunningServer | Absent;

export class ServerPool {
  readonly #directory: string;
  readonly #started = new Map<string, StartedServer>();

  /** @param directory for their data; created with the first server */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The server of a contestant; one that runs already if there is one with these options. */
  async get(
    { server: file, checkout }: ServedContestant,
    { durability, certificate }: Pick<ServerOptions, "durability" | "certificate">,
  ): Promise<StartedServer> {
    const isOther = checkout !== undefined;
    const parts = [basename(file, ".ts"), durability, certificate && "tls", isOther && "other"];
    const name = parts.filter(Boolean).join("-");
    const running = this.#started.get(name);
    if (running !== undefined) return running;
    const directory = join(this.#directory, name);
    await mkdir(directory, { recursive: true });
    const started = await load<ServerModule>(file)
      .then((module) => module.start({ directory, durability, certificate, checkout }))
      .catch((error: unknown) => absenceBy(error, file));
    this.#started.set(name, started);
    return started;
  }

  /** Stops all of them. More may be started afterwards, in a directory that is empty again. */
  async stop(): Promise<void> {
    const servers = [...this.#started.values()];
    this.#started.clear();
    await Promise.all(servers.map((server) => ("stop" in server ? server.stop() : undefined)));
  }
}
