/** A server, a client that keeps to the rules, and whoever attacks: what becomes of the first two. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { seededRandom } from "../bytes.ts";
import { removeDirectory, temporaryDirectory } from "../homes.ts";
import { ServerProcess } from "../server-process.ts";
import type { Attack, Target } from "./attack.ts";
import { RawConnection } from "./raw-connection.ts";
import { Victim } from "./victim.ts";

const SAMPLE_INTERVAL_MS = 25;
/** So many records the victim must get through during each attack, and again after it. */
const RECORDS = 20;

export interface Outcome {
  readonly attack: string;
  /** In a few words. */
  readonly serverDid: string;
  /** Resident memory of the server: before, at most, and when the attack was over. */
  readonly bytesBefore: number;
  readonly bytesMost: number;
  readonly bytesAfter: number;
  readonly victimProblems: readonly string[];
  /** What the server wrote to stderr. */
  readonly errorLines: readonly string[];
}

export class Arena {
  readonly #directory: string;
  readonly #server: ServerProcess;
  readonly #victim: Victim;
  #errorLines: string[];

  private constructor(directory: string, server: ServerProcess, victim: Victim, errorLines: string[]) {
    this.#directory = directory;
    this.#server = server;
    this.#victim = victim;
    this.#errorLines = errorLines;
  }

  static async open(): Promise<Arena> {
    const directory = await temporaryDirectory();
    const data = join(directory, "data");
    await mkdir(data);
    const errorLines: string[] = [];
    const server = await ServerProcess.start(data, { onErrorLine: (line) => errorLines.push(line) });
    const victim = await Victim.start(server.address);
    await victim.servedAgain(500); // the code is compiled, and the memory of one who serves is there
    return new Arena(directory, server, victim, errorLines);
  }

  get isServerAlive(): boolean {
    return this.#server.isAlive;
  }

  residentBytes(): Promise<number> {
    return this.#server.residentBytes();
  }

  async endure(attack: Attack, { seed, frames }: { seed: number; frames: number }): Promise<Outcome> {
    const closing: (() => void)[] = [];
    const target: Target = {
      address: this.#server.address,
      surroundings: this.#directory,
      random: seededRandom(seed),
      frames,
      onEnd: (close) => closing.push(close),
      connect: async () => {
        const connection = await RawConnection.open(this.#server.port);
        closing.push(() => connection.close());
        return connection;
      },
    };
    const bytesBefore = await this.#server.residentBytes();
    let bytesMost = bytesBefore;
    const sampling = setInterval(async () => {
      bytesMost = Math.max(bytesMost, await this.#server.residentBytes().catch(() => 0));
    }, SAMPLE_INTERVAL_MS);
    const firstErrorLine = this.#errorLines.length;
    let serverDid = "";
    try {
      const died = this.#server.ended.then(() => Promise.reject(new Error("the server has ended")));
      const course = async () => {
        serverDid = await attack.run(target);
        await this.#victim.servedAgain(RECORDS); // with the attack still standing
        for (const close of closing.splice(0)) close();
        await this.#victim.servedAgain(RECORDS);
      };
      await Promise.race([course(), died]);
    } finally {
      clearInterval(sampling);
      for (const close of closing) close();
    }
    return {
      attack: attack.name,
      serverDid,
      bytesBefore,
      bytesMost,
      bytesAfter: await this.#server.residentBytes(),
      victimProblems: this.#victim.problems,
      errorLines: this.#errorLines.slice(firstErrorLine),
    };
  }

  async close(): Promise<void> {
    if (this.isServerAlive) await this.#victim.stop();
    await this.#server.stop();
    await removeDirectory(this.#directory);
  }
}
