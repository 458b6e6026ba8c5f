/** Three NATS servers on loopback, which together are a JetStream cluster. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Child, sleep } from "./child.ts";
import { freePorts } from "./free-ports.ts";

const NAMES = ["n1", "n2", "n3"];
const START_MS = 60_000;

interface Node extends Child {
  readonly address: string;
  /** Of its monitoring endpoint. */
  readonly url: string;
}

export class NatsNodes {
  readonly all: readonly Node[];

  private constructor(nodes: readonly Node[]) {
    this.all = nodes;
  }

  /** @param directory where each of them stores its data */
  static async start(binary: string, directory: string): Promise<NatsNodes> {
    const ports = await freePorts(3 * NAMES.length);
    const routes = NAMES.map((_, i) => `nats-route://127.0.0.1:${ports[3 * i + 1]}`);
    const nodes: Node[] = [];
    for (const [i, name] of NAMES.entries()) {
      const [port, routePort, httpPort] = ports.slice(3 * i);
      const config = `server_name: ${name}
listen: "127.0.0.1:${port}"
http: "127.0.0.1:${httpPort}"
jetstream { store_dir: ${JSON.stringify(join(directory, name))} }
cluster { name: example, listen: "127.0.0.1:${routePort}", routes: ${JSON.stringify(routes)} }
`;
      const file = join(directory, `${name}.conf`);
      await writeFile(file, config);
      const node = new Child(name, binary, ["-c", file]);
      nodes.push(Object.assign(node, { address: `nats://127.0.0.1:${port}`, url: `http://127.0.0.1:${httpPort}` }));
    }
    await Promise.all(nodes.map((node) => node.start()));
    const started = new NatsNodes(nodes);
    await started.healthy();
    return started;
  }

  get addresses(): string[] {
    return this.all.map(({ address }) => address);
  }

  node(name: string): Node {
    return this.all.find((node) => node.name === name)!;
  }

  /** Resolves when each node has what its peers have: then any one of them may be lost. */
  async healthy(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (const { name, url } of this.all) {
      while (!(await isHealthy(url))) {
        if (performance.now() > deadline) throw new Error(`NATS node ${name} does not become healthy`);
        await sleep(100);
      }
    }
  }

  /** The name of the node that leads the most streams. */
  async busiest(): Promise<string> {
    const counts = new Map<string, number>();
    const { url } = this.all.find(({ isRunning }) => isRunning)!;
    const { account_details = [] } = (await (await fetch(`${url}/jsz?streams=true`)).json()) as JetStreamInfo;
    for (const { stream_detail = [] } of account_details) {
      for (const { cluster } of stream_detail) {
        if (cluster?.leader) counts.set(cluster.leader, (counts.get(cluster.leader) ?? 0) + 1);
      }
    }
    return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? NAMES[0]!;
  }

  async kill(): Promise<void> {
    await Promise.all(this.all.map((node) => node.end("SIGKILL")));
  }
}

interface JetStreamInfo {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly { readonly cluster?: { readonly leader?: string } }[];
  }[];
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
