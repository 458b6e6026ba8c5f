/**
 * NATS servers on loopback for tests: each a process of its own with a store directory of its own.
 * The binary is `NATS_SERVER`, or `nats-server` in the PATH.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { steadyPorts } from "./steady-ports.ts";

const START_MS = 30_000;

/** Why tests that need a NATS server are skipped. */
export const SKIPPED = "skipped: no nats-server of 2.11 or later (set NATS_SERVER, or put one on the PATH)";

/**
 * The binary; undefined if there is none on the PATH, or one before 2.11.
 *
 * @throws Error if NATS_SERVER is set to one that does not fit: then nothing is to be skipped
 */
export function natsServer(): string | undefined {
  const given = process.env["NATS_SERVER"];
  const binary = given ?? "nats-server";
  const version = versionOf(binary);
  if (version !== undefined && (version.major > 2 || version.minor >= 11)) return binary;
  if (given === undefined) return undefined;
  const found = version === undefined ? "does not run" : `is ${version.major}.${version.minor}`;
  throw new Error(`NATS_SERVER: ${given} ${found}, and 2.11 or later is needed`);
}

function versionOf(binary: string): { readonly major: number; readonly minor: number } | undefined {
  try {
    const [, major, minor] = /v(\d+)\.(\d+)/.exec(execFileSync(binary, ["--version"], { encoding: "utf8" })) ?? [];
    return minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
  } catch {
    return undefined;
  }
}

if (natsServer() === undefined) process.stdout.write(`${SKIPPED}\n`);

export interface NatsServersOptions {
  /** Number of servers, which are a cluster if there are several. Default 1. */
  readonly count?: number;
  /** Whether each message is synced before it is acknowledged. Default false. */
  readonly syncsAlways?: boolean;
  /** Default: more than LogStore's default limit of batches. */
  readonly maxPayloadBytes?: number;
}

interface Node {
  readonly name: string;
  readonly port: number;
  readonly monitoringPort: number;
  readonly configFile: string;
  process: ChildProcess | undefined;
}

/** What a server says of itself. */
interface ServerInfo {
  readonly meta_cluster?: {
    readonly leader?: string;
    /** As the leader sees them, if the leader is asked. */
    readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
  };
}

export class NatsServers {
  readonly #directory: string;
  readonly #binary: string;
  readonly #nodes: readonly Node[];

  private constructor(directory: string, binary: string, nodes: readonly Node[]) {
    this.#directory = directory;
    this.#binary = binary;
    this.#nodes = nodes;
  }

  static async start(options: NatsServersOptions = {}): Promise<NatsServers> {
    const { count = 1, syncsAlways = false, maxPayloadBytes = 32 * 1024 * 1024 } = options;
    const binary = natsServer();
    if (binary === undefined) throw new Error(SKIPPED);
    const directory = await mkdtemp(join(tmpdir(), "logstore-nats-"));
    const ports = await steadyPorts(3 * count);
    const routes = ports.slice(count, 2 * count).map((port) => `nats-route://127.0.0.1:${port}`);
    const nodes: Node[] = [];
    for (let i = 0; i < count; i++) {
      const name = `n${i + 1}`;
      const cluster =
        count === 1
          ? ""
          : `cluster { name: tests, listen: "127.0.0.1:${ports[count + i]}", routes: ${JSON.stringify(routes)}, no_advertise: true }`;
      const sync = syncsAlways ? ", sync_interval: always" : "";
      const configFile = join(directory, `${name}.conf`);
      await writeFile(
        configFile,
        `server_name: ${name}
listen: "127.0.0.1:${ports[i]}"
http: "127.0.0.1:${ports[2 * count + i]}"
max_payload: ${maxPayloadBytes}
jetstream { store_dir: "${join(directory, name)}"${sync} }
${cluster}
`,
      );
      const monitoringPort = ports[2 * count + i]!;
      nodes.push({ name, port: ports[i]!, monitoringPort, configFile, process: undefined });
    }
    const servers = new NatsServers(directory, binary, nodes);
    try {
      for (let i = 0; i < count; i++) servers.startNode(i);
      await servers.ready();
      await eventually("the cluster is not complete", () => servers.#isComplete());
    } catch (error) {
      await servers.stop();
      throw error;
    }
    return servers;
  }

  get addresses(): string[] {
    return this.#nodes.map(({ port }) => `nats://127.0.0.1:${port}`);
  }

  get monitoringUrls(): string[] {
    return this.#nodes.map(({ monitoringPort }) => `http://127.0.0.1:${monitoringPort}`);
  }

  /** Ends a node, and starts it with a changed configuration. Resolves when it answers. */
  async restart(index: number, change: (config: string) => string): Promise<void> {
    const node = this.#nodes[index]!;
    const exit = once(node.process!, "exit");
    node.process!.kill("SIGKILL");
    await exit;
    await writeFile(node.configFile, change(await readFile(node.configFile, "utf8")));
    this.startNode(index);
    await this.ready();
  }

  /** Starts a node that is not running. */
  startNode(index: number): void {
    const node = this.#nodes[index]!;
    // Several servers share the processors with the tests.
    const env = { ...process.env, GOMAXPROCS: "1" };
    node.process = spawn(this.#binary, ["-c", node.configFile], { stdio: "ignore", env });
  }

  /** Sends a signal to a node: SIGKILL, SIGSTOP, SIGCONT. */
  signal(index: number, signal: NodeJS.Signals): void {
    this.#nodes[index]!.process?.kill(signal);
  }

  /** Ends a node as an operator does: it writes its files first. */
  async stopNode(index: number): Promise<void> {
    const { process } = this.#nodes[index]!;
    const exit = once(process!, "exit");
    process!.kill("SIGTERM");
    await exit;
  }

  /** Where a node has its files. */
  storeDirectory(index: number): string {
    return join(this.#directory, this.#nodes[index]!.name);
  }

  get count(): number {
    return this.#nodes.length;
  }

  /** Resolves when JetStream answers, which for a cluster needs a leader. */
  async ready(): Promise<void> {
    await eventually("the NATS servers do not answer", () => this.#answers());
  }

  /** Resolves when every replica of every stream is up to date: then another node may be lost. */
  async caughtUp(): Promise<void> {
    await eventually("the replicas do not catch up", () => this.#areCurrent());
  }

  async #answers(): Promise<boolean> {
    const connection = await connect({ servers: this.addresses, timeout: 1_000, reconnect: false });
    try {
      const answer = await connection.request("$JS.API.INFO", undefined, { timeout: 1_000 });
      return answer.json<{ error?: unknown }>().error === undefined;
    } finally {
      await connection.close();
    }
  }

  /** Whether the leader hears from all others, so that streams can be placed on them. */
  async #isComplete(): Promise<boolean> {
    if (this.count === 1) return true;
    for (const [i, url] of this.monitoringUrls.entries()) {
      const { meta_cluster: cluster } = (await (await fetch(`${url}/jsz`)).json()) as ServerInfo;
      if (cluster?.leader !== this.#nodes[i]!.name) continue;
      const { replicas = [] } = cluster;
      return replicas.length === this.count - 1 && replicas.every(({ current, offline }) => current && !offline);
    }
    return false;
  }

  async #areCurrent(): Promise<boolean> {
    const connection = await connect({ servers: this.addresses, timeout: 1_000, reconnect: false });
    try {
      const streams = await (await jetstreamManager(connection)).streams.list().next();
      const replicas = streams.flatMap(({ cluster }) => cluster?.replicas ?? []);
      return replicas.length > 0 && replicas.every(({ current, offline }) => current && !offline);
    } finally {
      await connection.close();
    }
  }

  async stop(): Promise<void> {
    const ended = this.#nodes.map(async ({ process }) => {
      if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
      const exit = once(process, "exit");
      process.kill("SIGKILL");
      await exit;
    });
    await Promise.all(ended);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Resolves when a condition holds. An attempt to find out may fail. */
async function eventually(failure: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(failure);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
