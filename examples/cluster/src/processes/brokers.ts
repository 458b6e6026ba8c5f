/** `logstore-server` processes that share the partitions in NATS. */
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import { freePorts } from "./free-ports.ts";

const bin = fileURLToPath(new URL("dist/bin.cjs", import.meta.resolve("@logstore/server-grpc/package.json")));
const LISTENING = /^logstore listening on /;

export class Brokers {
  readonly #children = new Map<string, Child>();
  readonly #names = new Map<string, string>();

  private constructor(natsAddresses: readonly string[], ports: ReadonlyMap<string, number>) {
    const common = [bin, "--engine", "jetstream", "--nats", natsAddresses.join(), "--log-level", "error"];
    for (const [name, port] of ports) {
      const args = [...common, "--cluster-broker", name, "--port", `${port}`];
      this.#children.set(name, new Child(`broker ${name}`, process.execPath, args));
      this.#names.set(`127.0.0.1:${port}`, name);
    }
  }

  /** None of them runs yet. */
  static async make(natsAddresses: readonly string[], names: readonly string[]): Promise<Brokers> {
    const ports = await freePorts(names.length);
    return new Brokers(natsAddresses, new Map(names.map((name, i) => [name, ports[i]!])));
  }

  get addresses(): string[] {
    return [...this.#names.keys()];
  }

  nameOf(address: string | undefined): string | undefined {
    return address === undefined ? undefined : this.#names.get(address);
  }

  async start(name: string): Promise<void> {
    await this.#children.get(name)!.start(LISTENING);
  }

  /** A crash: the others find out when its lease has expired. */
  kill(name: string): Promise<void> {
    return this.#children.get(name)!.end("SIGKILL");
  }

  /** A planned stop: its partitions go to the others first. */
  stop(name: string): Promise<void> {
    return this.#children.get(name)!.end("SIGTERM");
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#children.values()].map((child) => child.end("SIGKILL")));
  }
}
