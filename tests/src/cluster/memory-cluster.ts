/** Brokers that share an engine in memory, of which a test says who owns what. */
import { type ConnectOptions, connect, GrpcLogApi, type LogClient } from "@logstore/client";
import { Broker } from "@logstore/core";
import { type Cluster, type Engine, MemoryEngine, MemoryHome, type Owner } from "@logstore/core/engine";
import { type LogStoreServer, type ServeOptions, serve } from "@logstore/server-grpc";
import { onTestFinished } from "vitest";
import { freePort } from "../free-port.ts";

const JOURNALS = 2;

/** A broker, and the calls that reached it. */
export interface Member {
  readonly name: string;
  readonly address: string;
  readonly broker: Broker;
  readonly server: LogStoreServer;
  readonly calls: { [Method in Counted]: number };
  /** Called before each append. */
  beforeProduce: () => void | Promise<void>;
  /** Called after each append, before it is answered. */
  afterProduce: () => void | Promise<void>;
  stop(): Promise<void>;
}

const COUNTED = [
  ...(["produce", "consume", "fetch", "listOffsets", "deleteRecords"] as const),
  ...(["commitOffsets", "fetchOffsets", "joinGroup", "describeGroup", "resetOffsets", "deleteGroup"] as const),
];
type Counted = (typeof COUNTED)[number];

export interface MemoryClusterOptions {
  /** Of the server of a broker, by its name. */
  readonly serve?: ((name: string) => ServeOptions) | undefined;
  /** Of the connections between brokers. */
  readonly peers?: ConnectOptions | undefined;
}

export class MemoryCluster {
  readonly #home = new MemoryHome();
  readonly #listeners: (() => void)[] = [];
  readonly members: Member[] = [];
  /** Each broker's belief about the owners of partitions, by its name; "" is none. */
  readonly #views = new Map<string, string[]>();
  readonly #partitions: readonly string[];
  #coordinator: string;
  /** The address that is told of each broker. */
  readonly #addresses = new Map<string, string>();
  /** Where the other brokers connect to, if not to the broker itself. */
  readonly #peerAddresses = new Map<string, string>();
  /** Names of brokers whose leases have expired. */
  readonly #dead = new Set<string>();
  readonly #options: MemoryClusterOptions;
  /** Errors of servers that nobody expects. */
  readonly #defects: unknown[] = [];

  private constructor(partitions: readonly string[], options: MemoryClusterOptions) {
    this.#partitions = partitions;
    this.#coordinator = partitions[0]!;
    this.#options = options;
  }

  /**
   * Starts brokers with a topic "t".
   *
   * @param names of the brokers
   * @param partitions name of each partition's owner
   */
  static async start(
    names: readonly string[],
    partitions: readonly string[],
    options: MemoryClusterOptions = {},
  ): Promise<MemoryCluster> {
    const cluster = new MemoryCluster(partitions, options);
    onTestFinished(() => {
      if (cluster.#defects.length > 0) throw cluster.#defects[0];
    });
    for (const name of names) await cluster.#startMember(name);
    await cluster.members[0]!.broker.createTopic({ topic: "t", partitions: partitions.length });
    for (const { broker } of cluster.members) await broker.opened;
    return cluster;
  }

  member(name: string): Member {
    return this.members.find((member) => member.name === name)!;
  }

  client(names: readonly string[], options: ConnectOptions = {}): LogClient {
    const client = connect(
      names.map((name) => this.member(name).server.address),
      { onEvent: () => {}, ...options },
    );
    onTestFinished(() => client.close({ timeoutMs: 1_000 }).catch(() => {}));
    return client;
  }

  /**
   * Gives a partition to another broker; "" is none.
   *
   * @param seenBy names of the brokers that know. Default: all
   */
  move(partition: number, name: string, seenBy: readonly string[] = [...this.#views.keys()]): void {
    for (const broker of seenBy) this.#views.get(broker)![partition] = name;
    for (const changed of this.#listeners) changed();
  }

  /** Gives all groups to another broker. */
  moveGroups(name: string): void {
    this.#coordinator = name;
    for (const changed of this.#listeners) changed();
  }

  /** Has brokers tell another address of a broker than the one where it listens. */
  pretend(name: string, address: string): void {
    this.#addresses.set(name, address);
  }

  /** Has the other brokers connect to an address, in place of that of the broker. */
  pretendToPeers(name: string, address: string): void {
    this.#peerAddresses.set(name, address);
  }

  /** A broker's lease expires. */
  declareDead(name: string): void {
    this.#dead.add(name);
    for (const changed of this.#listeners) changed();
  }

  async #startMember(name: string): Promise<void> {
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    this.#addresses.set(name, address);
    this.#views.set(name, [...this.#partitions]);
    const broker = await Broker.openOn(this.#engine(name));
    const member = this.#counted({ name, address, broker });
    // Brokers reach one another, whatever the clients are told.
    const connectToBroker = (told: string) => {
      const [other] = [...this.#addresses].find(([, address]) => address === told)!;
      const at = this.#peerAddresses.get(other) ?? this.member(other).address;
      return new GrpcLogApi(at, { ownerOnly: true, onEvent: () => {}, ...this.#options.peers });
    };
    const onError = (error: unknown) => void this.#defects.push(error);
    const server = await serve(broker, {
      port,
      connectToBroker,
      onError,
      drainTimeoutMs: 100,
      ...this.#options.serve?.(name),
    });
    let stopping: Promise<void> | undefined;
    const stop = () => (stopping ??= server.stop().then(() => broker.close()));
    this.members.push(Object.assign(member, { server, stop }));
    onTestFinished(stop);
  }

  #counted(parts: Pick<Member, "name" | "address" | "broker">): Omit<Member, "server" | "stop"> {
    const calls = Object.fromEntries(COUNTED.map((method) => [method, 0])) as Member["calls"];
    const hook = (): void | Promise<void> => {};
    const member = { ...parts, calls, beforeProduce: hook, afterProduce: hook };
    const { broker } = parts;
    for (const method of COUNTED) {
      const call = broker[method].bind(broker) as (...args: unknown[]) => unknown;
      const counted = (...args: unknown[]) => {
        calls[method]++;
        if (method !== "produce") return call(...args);
        const wait = member.beforeProduce();
        const done = wait instanceof Promise ? wait.then(() => call(...args)) : (call(...args) as Promise<unknown>);
        return done.then(async (ack) => {
          await member.afterProduce();
          return ack;
        });
      };
      Object.assign(broker, { [method]: counted });
    }
    return member;
  }

  #engine(name: string): Engine {
    const engine = new MemoryEngine(this.#home, name);
    const journals = Array.from({ length: JOURNALS }, (_, i) => new MemoryEngine(this.#home, `groups ${i}`).journal);
    const owner = (of: string | undefined): Owner | undefined =>
      of ? { address: this.#addresses.get(of)!, isSelf: of === name } : undefined;
    const others = () =>
      this.members.flatMap((other) => {
        const isAlive = other.name !== name && !this.#dead.has(other.name);
        return isAlive ? this.#addresses.get(other.name)! : [];
      });
    const cluster: Cluster = {
      journals,
      owner: (_, partition) => owner(this.#views.get(name)![partition]),
      journalOwner: () => owner(this.#coordinator),
      get otherAddresses() {
        return others();
      },
      onChange: (changed) => void this.#listeners.push(changed),
      join: async () => {},
      drain: async () => {},
    };
    return Object.assign(engine, { cluster });
  }
}
