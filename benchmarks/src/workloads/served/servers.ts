/**
 * The servers of a contest, which run side by side, idle but for the contestant whose turn it is.
 */
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Durability, Skipped } from "../../contestants/embedded.ts";
import { load, type ServedContestant, skippedBy } from "../../contestants/list.ts";
import type { RunningServer, ServerModule } from "../../contestants/served.ts";
import type { Certificate } from "../../processes/certificate.ts";
import type { ServedLogTasks } from "../../processes/programs/served-log.ts";
import { Worker } from "../../processes/worker.ts";
import { progress } from "../../reports/progress.ts";
import type { Series } from "../../statistics/spread.ts";

export interface ScenarioOptions {
  readonly contestants: readonly ServedContestant[];
  readonly directory: string;
  readonly durability: Durability;
  readonly certificate?: Certificate | undefined;
}

/** A connected contestant. */
export interface Guest {
  readonly contestant: ServedContestant;
  readonly server: RunningServer;
  readonly worker: Worker<ServedLogTasks>;
  /** Version and settings of both sides. */
  readonly setup: string;
}

export class Servers implements AsyncDisposable {
  readonly guests: Guest[] = [];
  /** Why a contestant does not take part, by name. */
  readonly skipped = new Map<string, string>();
  readonly #running = new Map<string, RunningServer | { readonly skipped: string }>();

  static async start(options: ScenarioOptions): Promise<Servers> {
    const servers = new Servers();
    try {
      for (const contestant of options.contestants) await servers.#invite(contestant, options);
    } catch (error) {
      await servers[Symbol.asyncDispose]();
      throw error;
    }
    return servers;
  }

  async #invite(contestant: ServedContestant, options: ScenarioOptions): Promise<void> {
    const { durability, certificate } = options;
    const server = await this.#serverOf(contestant, options);
    if ("skipped" in server) return this.#skip(contestant, server.skipped);
    const worker = await Worker.start<ServedLogTasks>("served-log", []);
    const { address } = server;
    try {
      const connected = await worker.ask("connect", { contestant, address, durability, certificate });
      if ("skipped" in connected) throw new Skipped(connected.skipped);
      const setup = `server: ${server.version}; ${server.settings}; client: ${connected.settings}`;
      this.guests.push({ contestant, server, worker, setup });
    } catch (error) {
      await worker.kill();
      this.#skip(contestant, skippedBy(error, contestant.file).skipped);
    }
  }

  async #serverOf({ server: file }: ServedContestant, { directory, durability, certificate }: ScenarioOptions) {
    const running = this.#running.get(file);
    if (running !== undefined) return running;
    const own = join(directory, basename(file, ".ts"));
    await mkdir(own, { recursive: true });
    const started = await load<ServerModule>(file)
      .then((module) => module.start({ directory: own, durability, certificate }))
      .catch((error: unknown) => skippedBy(error, file));
    this.#running.set(file, started);
    return started;
  }

  /** Values of a contestant, unless it failed. */
  seriesOf({ name }: ServedContestant, values: readonly number[]): Series {
    const setup = this.guests.find(({ contestant }) => contestant.name === name)?.setup;
    const skipped = this.skipped.get(name);
    return { contestant: name, values: skipped === undefined ? values : [], setup, skipped };
  }

  #skip({ name }: ServedContestant, why: string): void {
    this.skipped.set(name, why);
    progress(`${name}: skipped: ${why}`);
  }

  /** A peer that failed takes no part any more. Throws what LogStore threw. */
  async exclude(guest: Guest, error: unknown): Promise<void> {
    const { contestant, worker } = guest;
    this.#skip(contestant, skippedBy(error, contestant.file).skipped);
    this.guests.splice(this.guests.indexOf(guest), 1);
    await worker.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.guests.map(({ worker }) => worker.kill()));
    await Promise.all(Array.from(this.#running.values(), async (server) => "stop" in server && server.stop()));
  }
}
