/** The brokers of a cluster: processes of `logstore-server`, each with links of its own to NATS. */
import { fileURLToPath } from "node:url";
import { SlowLink } from "../../../packages/engine-jetstream/test/slow-link.ts";
import { freePort } from "../free-port.ts";
import { ServerProcess } from "../server-process.ts";

const NODE_COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/node", import.meta.url));

/** Short, so that a takeover takes little time. */
export const LEASE_MS = 1_500;

export class BrokerProcess {
  readonly address: string;
  readonly #name: string;
  readonly #port: number;
  readonly #links: readonly SlowLink[];
  readonly #syncsAlways: boolean;
  #process: ServerProcess | undefined;

  private constructor(name: string, port: number, links: readonly SlowLink[], syncsAlways: boolean) {
    this.#name = name;
    this.#port = port;
    this.address = `127.0.0.1:${port}`;
    this.#links = links;
    this.#syncsAlways = syncsAlways;
  }

  static async start(name: string, nats: readonly string[], syncsAlways: boolean): Promise<BrokerProcess> {
    const links = await Promise.all(nats.map((address) => SlowLink.to(address)));
    const broker = new BrokerProcess(name, await freePort(), links, syncsAlways);
    try {
      await broker.start();
    } catch (error) {
      await broker.close();
      throw error;
    }
    return broker;
  }

  /** Starts the process, which is not running. */
  async start(): Promise<void> {
    const args = ["--engine", "jetstream", "--nats", this.#links.map(({ address }) => address).join()];
    args.push("--cluster-broker", this.#name, "--cluster-lease-ms", `${LEASE_MS}`);
    if (this.#syncsAlways) args.push("--cluster-syncs-always");
    const env = { NODE_COMPILE_CACHE }; // many processes start
    this.#process = await ServerProcess.start(undefined, { port: this.#port, args, env });
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    process.kill(this.#process!.pid, signal);
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** SIGTERM: the broker gives its partitions away first. */
  async stop(): Promise<void> {
    const code = await this.#process!.stop();
    if (code !== 0) throw new Error(`broker ${this.#name} ended with ${code}`);
  }

  /** Nothing passes between the broker and NATS. */
  cutOff(): void {
    for (const link of this.#links) link.silence();
  }

  /** The broker hears NATS, which does not hear it. */
  holdUp(): void {
    for (const link of this.#links) link.holdUp();
  }

  letGo(): void {
    for (const link of this.#links) link.letGo();
  }

  async close(): Promise<void> {
    await this.kill();
    await Promise.all(this.#links.map((link) => link.close()));
  }
}
