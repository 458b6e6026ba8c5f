/** The command `logstore-server` in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Durability } from "../contestants/embedded.ts";
import type { Certificate } from "./certificate.ts";
import { endedWithThis, stopped } from "./children.ts";
import { freePort } from "./free-port.ts";
import { programFile } from "./run-program.ts";

/** Linux reports a process's time in ticks of this length. */
const TICK_MS = 10;
const START_TIMEOUT_MS = 60_000;
const PAGE_BYTES = 4096;

const ownBin = fileURLToPath(new URL("dist/bin.cjs", import.meta.resolve("@logstore/server-grpc/package.json")));

/** Path of the command in a built checkout, including older ones, where it has another name. */
export function commandOf(checkout: string): string {
  const files = ["bin.cjs", "bin.js"].map((name) => resolve(checkout, "packages/server-grpc/dist", name));
  return files.find((file) => existsSync(file)) ?? files[0]!;
}

export interface ServerProcessOptions {
  readonly certificate?: Certificate | undefined;
  readonly durability?: Durability;
  /** Another built checkout, whose command is used. Default: this one. */
  readonly checkout?: string | undefined;
  /** Variables in addition to those of this process. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface BrokerOptions {
  /** Addresses of NATS servers, separated by commas. */
  readonly nats: string;
  /** Which no other broker has. */
  readonly name: string;
  /** Default: that of the command. */
  readonly leaseMs?: number;
}

export class ServerProcess {
  readonly address: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, address: string) {
    this.#process = process;
    this.address = address;
  }

  static async start(
    directory: string,
    { certificate, durability = "written", checkout, environment = {} }: ServerProcessOptions = {},
  ): Promise<ServerProcess> {
    const args =
      certificate === undefined
        ? [
            checkout === undefined ? ownBin : commandOf(checkout),
            "--data",
            directory,
            "--port",
            "0",
            "--durability",
            durability,
            "--log-level",
            "error",
          ]
        : [programFile("tls-server"), directory, certificate.certFile, certificate.keyFile, durability, checkout ?? ""];
    return ServerProcess.#launch(args, environment);
  }

  /** A broker of a cluster, whose partitions NATS servers store. */
  static async startBroker({ nats, name, leaseMs }: BrokerOptions): Promise<ServerProcess> {
    const port = await freePort();
    const servers = nats.split(",").map((address) => `nats://${address}`);
    const flags = { engine: "jetstream", nats: servers.join(","), port, "cluster-broker": name, "log-level": "error" };
    const lease = leaseMs === undefined ? {} : { "cluster-lease-ms": leaseMs };
    const args = Object.entries({ ...flags, ...lease }).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
    return ServerProcess.#launch([ownBin, ...args], {});
  }

  static async #launch(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<ServerProcess> {
    const env = { ...process.env, ...environment };
    const server = endedWithThis(spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env }));
    const late = setTimeout(() => server.kill("SIGKILL"), START_TIMEOUT_MS);
    server.once("exit", () => clearTimeout(late));
    for await (const line of createInterface({ input: server.stdout })) {
      const address = /[^ ]+:\d+$/.exec(line)?.[0];
      if (address === undefined) continue;
      clearTimeout(late);
      return new ServerProcess(server, address);
    }
    throw new Error("the server did not start");
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Current resident memory; Linux only. */
  async residentBytes(): Promise<number> {
    const [, pages] = (await readFile(`/proc/${this.#process.pid}/statm`, "utf8")).split(" ");
    return Number(pages) * PAGE_BYTES;
  }

  /** Processor time since the start; Linux only. */
  async cpuMs(): Promise<number> {
    const stat = await readFile(`/proc/${this.#process.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  stop(): Promise<void> {
    return stopped(this.#process);
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return stopped(this.#process, () => void this.#process.kill("SIGKILL"));
  }
}
