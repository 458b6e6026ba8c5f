/**
 * The environment of one scenario: a broker, optionally behind a server and a network, and a topic
 * that is being filled.
 */
import { type ConnectOptions, connect, GrpcLogApi, type LogClient } from "@logstore/client";
import { Broker } from "@logstore/core";
import type { LogApi } from "@logstore/protocol";
import { type LogStoreServer, serve } from "@logstore/server-grpc";
import { CertificateAuthority, directoryWith } from "../../../packages/server-grpc/test/certificates.ts";
import { removeDirectory, temporaryDirectory } from "../homes.ts";
import { recordAt } from "./content.ts";
import { forgetful } from "./forgetful.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { batchesOf, type NetworkKind, type Scenario, SHAPES } from "./scenario.ts";
import { type Writer, WritingRoom, writers } from "./writers.ts";

export const TOPIC = "conveyor";
const SEGMENT_BYTES = 1024 * 1024;
const DELETE_INTERVAL_MS = 15;
const LIVE_PAUSE_MS = 2;
/** Per partition. */
const MAX_UNACKED_BATCHES = 8;

const networks: Record<Exclude<NetworkKind, "near">, Omit<NetworkOptions, "random">> = {
  distant: { delayMs: 25, lossRate: 0 },
  lossy: { delayMs: 10, lossRate: 0.01 },
  breaking: { delayMs: 2, lossRate: 0, breakIntervalMs: 1_000 },
};

export class Scene implements AsyncDisposable {
  readonly scenario: Scenario;
  readonly broker: Broker;
  readonly directory: string;
  /** The API as the readers reach it. */
  readonly api: LogApi;
  readonly client: LogClient;
  readonly valueBytes: number;
  /** The end of each partition when everything has been appended. */
  readonly ends: readonly number[];
  /** Raised before records are deleted. */
  readonly deletedBefore: number[];
  readonly #local: LogClient;
  readonly #writer: Writer;
  readonly #room = new WritingRoom();
  readonly #random: () => number;
  readonly #batches: readonly (readonly number[])[];
  readonly #appended: number[];
  readonly #appendedBatches: number[];
  readonly #resources: AsyncDisposableStack;

  private constructor(
    scenario: Scenario,
    random: () => number,
    home: { readonly broker: Broker; readonly directory: string; readonly api: LogApi; readonly client: LogClient },
    resources: AsyncDisposableStack,
  ) {
    this.scenario = scenario;
    this.#random = random;
    this.broker = home.broker;
    this.directory = home.directory;
    this.api = home.api;
    this.client = home.client;
    this.#local = resources.adopt(connect(home.broker), (client) => client.close());
    this.#resources = resources;
    const { writer, writesFrom, compression } = scenario;
    const through = writesFrom === "beside" ? { api: home.broker, client: this.#local } : home;
    this.#writer = writers[writer]({ ...through, topic: TOPIC, compression });
    this.valueBytes = SHAPES[scenario.shape].valueBytes;
    this.#batches = batchesOf(scenario);
    this.ends = this.#batches.map((batches) => batches.reduce((sum, records) => sum + records, 0));
    this.deletedBefore = this.ends.map(() => 0);
    this.#appended = this.ends.map(() => 0);
    this.#appendedBatches = this.ends.map(() => 0);
  }

  static async open(scenario: Scenario, random: () => number): Promise<Scene> {
    const resources = new AsyncDisposableStack();
    try {
      const directory = resources.adopt(await temporaryDirectory(), removeDirectory);
      const broker = resources.use(await Broker.open(directory));
      const reached = await reach(broker, scenario, random, resources);
      const scene = new Scene(scenario, random, { broker, directory, ...reached }, resources);
      const config = scenario.isDeleting ? { segmentBytes: SEGMENT_BYTES } : {};
      await scene.#local.createTopic(TOPIC, { partitions: scenario.partitions, ...config });
      return scene;
    } catch (error) {
      await resources.disposeAsync();
      throw error;
    }
  }

  /** Appends the records that exist before reading begins. */
  async fill(): Promise<void> {
    const share = this.scenario.isLive ? 0.5 : 1;
    await Promise.all(this.#batches.map((batches, p) => this.#append(p, Math.ceil(batches.length * share), 0)));
  }

  /**
   * Appends the other records and deletes some during reading. Resolves when everything has been
   * appended.
   */
  async carryOn(signal: AbortSignal): Promise<void> {
    const deletion = this.scenario.isDeleting ? setInterval(() => void this.#delete(), DELETE_INTERVAL_MS) : undefined;
    try {
      const appending = this.#batches.map((batches, p) => this.#append(p, batches.length, LIVE_PAUSE_MS, signal));
      await Promise.all(appending);
    } finally {
      clearInterval(deletion);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }

  async #append(partition: number, untilBatch: number, pauseMs: number, signal?: AbortSignal): Promise<void> {
    const batches = this.#batches[partition]!;
    const unacked: Promise<void>[] = [];
    let sent = this.#appended[partition]!;
    for (let batch = this.#appendedBatches[partition]!; batch < untilBatch; batch++) {
      if (signal?.aborted) return;
      const count = batches[batch]!;
      await this.#room.take(count * this.valueBytes);
      const records = Array.from({ length: count }, (_, i) => recordAt(partition, sent + i, this.valueBytes));
      const next = sent + count;
      const written = this.#writer.write(partition, records);
      for (const { value } of records) value.fill(0xdd);
      unacked.push(
        written
          .then(() => {
            this.#appended[partition] = next;
          })
          .finally(() => this.#room.giveBack(count * this.valueBytes)),
      );
      unacked.at(-1)!.catch(() => {}); // awaited below
      sent = next;
      this.#appendedBatches[partition] = batch + 1;
      if (!this.#writer.pipelines || unacked.length > MAX_UNACKED_BATCHES) await unacked.shift();
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs * 2 * this.#random()));
    }
    await Promise.all(unacked);
  }

  /** Deletes some of the records, never all of them. */
  async #delete(): Promise<void> {
    const partition = Math.floor(this.#random() * this.ends.length);
    const from = this.deletedBefore[partition]!;
    const before = from + Math.floor((this.#appended[partition]! - from) * this.#random() * 0.5);
    if (before <= from) return;
    this.deletedBefore[partition] = before;
    await this.#local.deleteRecords(TOPIC, partition, before).catch(() => {}); // the scene may be closing
  }
}

async function reach(
  broker: Broker,
  { transport, network, sendBudgetBytes }: Scenario,
  random: () => number,
  resources: AsyncDisposableStack,
): Promise<{ readonly api: LogApi; readonly client: LogClient }> {
  if (transport === "embedded") {
    const api = network === "breaking" ? forgetful(broker, random) : broker;
    return { api, client: resources.adopt(connect(api), (client) => client.close()) };
  }
  const [secured, shown] = transport === "TLS" ? await certified(resources) : [{}, {}];
  const budget = sendBudgetBytes === undefined ? {} : { sendBudgetBytes };
  const server: LogStoreServer = await serve(broker, { port: 0, drainTimeoutMs: 500, ...budget, ...secured });
  resources.adopt(server, (server) => server.stop());
  let { address } = server;
  if (network !== "near") {
    address = resources.use(await Network.open(address, { ...networks[network], random })).address;
  }
  const api = resources.adopt(new GrpcLogApi(address, shown), (api) => api.close());
  return { api, client: resources.adopt(connect(address, shown), (client) => client.close()) };
}

async function certified(resources: AsyncDisposableStack) {
  const ca = await CertificateAuthority.create();
  const { cert, key } = await ca.issue(["server"]);
  const files = resources.adopt(await directoryWith({ "cert.pem": cert, "key.pem": key }), (files) => files.remove());
  const tls = { certFile: files.path("cert.pem"), keyFile: files.path("key.pem") };
  const shown: ConnectOptions = { tls: { ca: ca.cert } };
  return [{ tls }, shown] as const;
}
