/** The contestants of a workload, each with a process that is connected to its server. */
import type { Durability } from "../../contestants/embedded.ts";
import { type Absent, absenceBy, type ServedContestant } from "../../contestants/list.ts";
import type { RunningServer } from "../../contestants/served.ts";
import type { Certificate } from "../../processes/certificate.ts";
import type { ServedLogTasks } from "../../processes/programs/served-log.ts";
import type { ServerPool } from "../../processes/server-pool.ts";
import { Worker } from "../../processes/worker.ts";
import { progress } from "../../reports/progress.ts";
import type { Series } from "../../statistics/spread.ts";

export interface GuestOptions {
  readonly servers: ServerPool;
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
  /** As a part of a topic's name. */
  readonly id: string;
}

export class Guests implements AsyncDisposable, Iterable<Guest> {
  readonly #guests: Guest[] = [];
  /** Why a contestant does not take part, by name. */
  readonly #absences = new Map<string, string>();

  static async invite(contestants: readonly ServedContestant[], options: GuestOptions): Promise<Guests> {
    const guests = new Guests();
    try {
      for (const contestant of contestants) await guests.#invite(contestant, options);
    } catch (error) {
      await guests[Symbol.asyncDispose]();
      throw error;
    }
    return guests;
  }

  async #invite(contestant: ServedContestant, { servers, durability, certificate }: GuestOptions): Promise<void> {
    const server = await servers.get(contestant, { durability, certificate });
    if ("absence" in server) return this.#note(contestant, server);
    const worker = await Worker.start<ServedLogTasks>("served-log", []);
    const { address } = server;
    try {
      const connected = await worker.ask("connect", { contestant, address, durability, certificate });
      if ("absence" in connected) {
        await worker.kill();
        return this.#note(contestant, connected);
      }
      const setup = `server: ${server.version}; ${server.settings}; client: ${connected.settings}`;
      const id = contestant.name.replaceAll(/[^a-zA-Z]/g, "");
      this.#guests.push({ contestant, server, worker, setup, id });
    } catch (error) {
      await worker.kill();
      this.#note(contestant, absenceBy(error, contestant.file));
    }
  }

  /** Those who take part now: a guest may be excluded meanwhile. */
  [Symbol.iterator](): Iterator<Guest> {
    return [...this.#guests][Symbol.iterator]();
  }

  /**
   * What the guest's turn returned. A peer that fails takes no part any more, and undefined is
   * returned; what LogStore threw is thrown.
   */
  async turn<Outcome>(guest: Guest, work: (guest: Guest) => Promise<Outcome>): Promise<Outcome | undefined> {
    try {
      return await work(guest);
    } catch (error) {
      const { contestant, worker } = guest;
      this.#note(contestant, absenceBy(error, contestant.file));
      this.#guests.splice(this.#guests.indexOf(guest), 1);
      await worker.kill();
      return undefined;
    }
  }

  /** The values of a contestant, unless it failed. */
  seriesOf({ name }: ServedContestant, values: readonly number[]): Series {
    const setup = this.#guests.find(({ contestant }) => contestant.name === name)?.setup;
    const absence = this.#absences.get(name);
    return { contestant: name, values: absence === undefined ? values : [], setup, absence };
  }

  #note({ name }: ServedContestant, { absence }: Absent): void {
    this.#absences.set(name, absence);
    progress(`${name}: ${absence}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#guests.map(({ worker }) => worker.kill()));
  }
}
