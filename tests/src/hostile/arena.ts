/**
 * A server, a well-behaved client (the victim), and an attacker: checks what happens to the first
 * two.
 */
import { EventEmitter, once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { seededRandom } from "../bytes.ts";
import { removeDirectory, temporaryDirectory } from "../homes.ts";
import { ServerProcess } from "../server-process.ts";
import type { Attack, AttackGroup, Target } from "./attack.ts";
import { Guard } from "./guard.ts";
import { RawConnection } from "./raw-connection.ts";
import { unexpectedLines, wrongLines } from "./told.ts";
import { Victim } from "./victim.ts";

const SAMPLE_INTERVAL_MS = 25;
/** Number of records that the victim must get through during each attack, and again after it. */
const RECORDS = 20;
/** Ten refusals per second are logged: after this long the next one is. */
const NEXT_LINE_MS = 100;
/**
 * The limit of the send budget, 256 MiB, the memory that serving takes, and uncollected garbage.
 */
const MAX_GROWTH_BYTES = 700_000_000;
const LINE_PATIENCE_MS = 10_000;

export interface Outcome {
  readonly attack: string;
  /** A short description. */
  readonly serverDid: string;
  /** Resident memory of the server: before the attack, at most, and after it. */
  readonly bytesBefore: number;
  readonly bytesMost: number;
  readonly bytesAfter: number;
  /** Problems of the victim, of the server's memory, and of its log. */
  readonly problems: readonly string[];
}

export class Arena {
  readonly #directory: string;
  readonly #guard: Guard | undefined;
  readonly #server: ServerProcess;
  readonly #log: ServerLog;
  readonly #victim: Victim;
  readonly #bytesAtStart: number;

  private constructor(
    directory: string,
    guard: Guard | undefined,
    server: ServerProcess,
    log: ServerLog,
    victim: Victim,
    bytesAtStart: number,
  ) {
    this.#directory = directory;
    this.#guard = guard;
    this.#server = server;
    this.#log = log;
    this.#victim = victim;
    this.#bytesAtStart = bytesAtStart;
  }

  static async open({ guarded, settings }: Omit<AttackGroup, "attacks">): Promise<Arena> {
    const directory = await temporaryDirectory();
    const data = join(directory, "data");
    await mkdir(data);
    const tls = guarded === "with TLS";
    const guard = guarded && (await Guard.create({ tls, settings }));
    const log = new ServerLog();
    const server = await ServerProcess.start(data, {
      args: ["--log-level", "info", ...(guard ? ["--config", guard.configFile] : [])],
      onErrorLine: (line) => log.add(line),
    });
    const victim = await Victim.start(server.address, guard && tls ? guard.shown("victim") : {});
    await victim.servedAgain(200); // warms up: compiles the code and allocates the memory of normal service
    return new Arena(directory, guard, server, log, victim, await server.residentBytes());
  }

  get isServerAlive(): boolean {
    return this.#server.isAlive;
  }

  async endure(attack: Attack, { seed, frames }: { seed: number; frames: number }): Promise<Outcome> {
    if (attack.told) await delay(NEXT_LINE_MS);
    const closing: (() => void)[] = [];
    const target = this.#target(seed, frames, closing);
    const bytesBefore = await this.#server.residentBytes();
    let bytesMost = bytesBefore;
    const sampling = setInterval(async () => {
      bytesMost = Math.max(bytesMost, await this.#server.residentBytes().catch(() => 0));
    }, SAMPLE_INTERVAL_MS);
    const begun = performance.now();
    this.#log.lines.length = 0;
    let serverDid = "";
    try {
      const died = this.#server.ended.then(() => Promise.reject(new Error("the server has ended")));
      const course = async () => {
        serverDid = await attack.run(target);
        await this.#victim.servedAgain(RECORDS); // while the attack's connections are still open
        if (attack.told) await this.#log.has(attack.told.lines);
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
      problems: [
        ...this.#victim.problems,
        ...(bytesMost - this.#bytesAtStart > MAX_GROWTH_BYTES ? [`it took ${bytesMost} bytes of memory`] : []),
        ...unexpectedLines(this.#log.lines, performance.now() - begun),
        ...(attack.told ? wrongLines(attack.told, this.#log.lines) : []),
      ],
    };
  }

  async close(): Promise<void> {
    if (this.isServerAlive) await this.#victim.stop();
    await this.#server.stop();
    await this.#guard?.remove();
    await removeDirectory(this.#directory);
  }

  #target(seed: number, frames: number, closing: (() => void)[]): Target {
    return {
      address: this.#server.address,
      port: this.#server.port,
      guard: this.#guard,
      surroundings: this.#directory,
      random: seededRandom(seed),
      frames,
      onEnd: (close) => closing.push(close),
      connect: async () => {
        const connection = await RawConnection.open(this.#server.port);
        closing.push(() => connection.close());
        return connection;
      },
      changeRules: async (rules) => {
        await this.#guard!.writeRules(rules);
        const applied = this.#log.newsOf("the configuration was read again");
        this.#server.reload();
        await applied;
      },
    };
  }
}

/** The server's stderr. Informational messages are separated from the lines of interest. */
class ServerLog {
  readonly lines: string[] = [];
  readonly #events = new EventEmitter();

  add(line: string): void {
    if (line.includes('"level":"info"') || / INFO /.test(line)) this.#events.emit("news", line);
    else this.lines.push(line);
    this.#events.emit("line");
  }

  async newsOf(text: string): Promise<void> {
    for (;;) {
      const [line] = await once(this.#events, "news", { signal: AbortSignal.timeout(LINE_PATIENCE_MS) });
      if (String(line).includes(text)) return;
    }
  }

  /** Resolves when there are that many lines, or no more are expected. */
  async has(count: number | "some" = 1): Promise<void> {
    const patience = AbortSignal.timeout(LINE_PATIENCE_MS);
    const least = count === "some" ? 1 : count;
    while (this.lines.length < least && !patience.aborted) {
      await once(this.#events, "line", { signal: patience }).catch(() => {});
    }
  }
}
