/** A cluster at work: three NATS servers, two brokers, and their clients. */
import { setTimeout as sleep } from "node:timers/promises";
import { NatsServers } from "../../../packages/engine-jetstream/test/nats-servers.ts";
import { StreamAudit } from "../../../packages/engine-jetstream/test/stream-audit.ts";
import { seededRandom } from "../bytes.ts";
import { BrokerProcess } from "./brokers.ts";
import { History } from "./history.ts";
import { PARTITIONS, TOPIC, Workload } from "./workload.ts";

const NAMESPACE = "logstore";
const AUDIT_TRIES = 20;

export interface SceneOptions {
  readonly seed: number;
  /** Whether the NATS servers sync each message before they acknowledge it. */
  readonly syncsAlways: boolean;
}

export class Scene {
  readonly random: () => number;
  readonly nats: NatsServers;
  readonly brokers: readonly BrokerProcess[];
  readonly workload: Workload;
  readonly audit: StreamAudit;
  readonly history: History;
  readonly #topicId: string;

  private constructor(
    options: SceneOptions,
    nats: NatsServers,
    brokers: readonly BrokerProcess[],
    workload: Workload,
    history: History,
    audit: StreamAudit,
    topicId: string,
  ) {
    this.random = seededRandom(options.seed);
    this.nats = nats;
    this.brokers = brokers;
    this.workload = workload;
    this.history = history;
    this.audit = audit;
    this.#topicId = topicId;
  }

  /** Starts everything, or nothing. */
  static async start(options: SceneOptions): Promise<Scene> {
    const { syncsAlways } = options;
    const started: { close(): Promise<void> }[] = [];
    try {
      const nats = await NatsServers.start({ count: 3, syncsAlways });
      started.push({ close: () => nats.stop() });
      const starting = ["a", "b"].map((name) => BrokerProcess.start(name, nats.addresses, syncsAlways));
      for (const { value } of (await Promise.allSettled(starting)) as { value?: BrokerProcess }[]) {
        if (value !== undefined) started.push(value);
      }
      const brokers = await Promise.all(starting);
      const history = new History(PARTITIONS);
      const addresses = brokers.map(({ address }) => address);
      const workload = await Workload.start(addresses, history, syncsAlways ? "flushed" : "replicated");
      started.push(workload);
      const { topicId } = await workload.client.describeTopic(TOPIC);
      const audit = await StreamAudit.begin(nats.addresses);
      return new Scene(options, nats, brokers, workload, history, audit, topicId);
    } catch (error) {
      for (const each of started.reverse()) await each.close().catch(() => {});
      throw error;
    }
  }

  readonly between = (low: number, high: number): number => low + this.random() * (high - low);

  readonly pick = <T>(from: readonly T[]): T => from[Math.floor(this.random() * from.length)]!;

  /** The index of the NATS server that leads a partition, drawn by lot. */
  async leader(): Promise<number> {
    const name = await this.audit.leader(this.#stream(Math.floor(this.random() * PARTITIONS)));
    return Number(name.slice(1)) - 1;
  }

  /** The owner of a partition, drawn by lot. */
  async owner(): Promise<BrokerProcess> {
    const drawn = Math.floor(this.random() * PARTITIONS);
    for (;;) {
      const { partitions } = await this.workload.client.describeTopic(TOPIC);
      const found = this.brokers.find(({ address }) => address === partitions[drawn]!.ownerAddress);
      if (found !== undefined) return found;
      await sleep(50);
    }
  }

  /** Looks at what was stored, as NATS has it. */
  async look(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let tries = 1; ; tries++) {
        try {
          await this.audit.look(this.#stream(partition));
          break;
        } catch (error) {
          if (tries === AUDIT_TRIES) throw error;
          await sleep(250);
        }
      }
    }
  }

  async close(): Promise<void> {
    const closing = [this.workload, this.audit, ...this.brokers].map((each) => each.close());
    await Promise.allSettled(closing);
    await this.nats.stop();
  }

  #stream(partition: number): string {
    return `${NAMESPACE}-${this.#topicId}-${partition}`;
  }
}
