import {
  type AppendAck,
  ClosedError,
  type ConsumerRecord,
  connect,
  type GroupDescription,
  type LogApi,
  type LogClient,
  type ReaderOptions,
  text,
} from "@logstore/client";
import { checkArgument, oneOf } from "@logstore/codec";
import { Broker, type BrokerOptions } from "@logstore/core";
import { type PowerCutOutcome, powerCutOutcomes, Random, SimulatedDisk } from "@logstore/core/testing";
import { type CaughtUpOptions, caughtUp } from "./caught-up.js";
import { type FixtureRecord, produceFixtures } from "./fixtures.js";
import { Life } from "./life.js";
import { restartingApi } from "./restarting-api.js";
import { checkTestBrokerOptions, type TestBrokerOptions } from "./test-broker-options.js";

const DIRECTORY = "data";
/** What is not closed by then is given up: the test is over. */
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Starts a broker for a test, on a simulated disk in memory.
 *
 * ```ts
 * await using broker = await testBroker({ topics: { orders: 4 } });
 * ```
 *
 * Its clock is `Date.now`: a `Date` that the test framework fakes is the broker's, too.
 *
 * @throws InvalidArgumentError
 */
export async function testBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  checkTestBrokerOptions(options);
  const { topics = {}, seed = 1, ...brokerOptions } = options;
  const disk = new SimulatedDisk({ seed, clock: () => Date.now() });
  const broker = new TestBroker(await start(disk, brokerOptions), brokerOptions, seed);
  try {
    for (const [topic, how] of Object.entries(topics)) {
      await broker.client.createTopic(topic, typeof how === "number" ? { partitions: how } : how);
    }
  } catch (error) {
    await broker.close();
    throw error;
  }
  return broker;
}

async function start(disk: SimulatedDisk, options: BrokerOptions): Promise<Life> {
  return new Life(await Broker.open(DIRECTORY, { ...options, storage: disk }), disk);
}

/** A broker for a test, on a simulated disk that can lose power. Made by {@link testBroker}. */
export class TestBroker implements AsyncDisposable {
  /**
   * A client of the broker, closed with it. It goes through crashes as a client of a server does
   * that is started again: it reconnects, and its producers send again what was not acknowledged.
   */
  readonly client: LogClient;
  /**
   * The broker's API, for `connect` of `@logstore/client` and `serve` of `@logstore/server-grpc`.
   */
  readonly api: LogApi;
  readonly #options: BrokerOptions;
  readonly #random: Random;
  readonly #clients = new Set<LogClient>();
  #life: Life;
  #current: Promise<Life>;
  /** Resolves when the restart in progress has ended, whatever came of it. */
  #restarting: Promise<unknown> | undefined;
  #isClosed = false;

  /** @internal Made by {@link testBroker}. */
  constructor(life: Life, options: BrokerOptions, seed: number) {
    this.#life = life;
    this.#current = Promise.resolve(life);
    this.#options = options;
    this.#random = new Random(seed);
    this.api = restartingApi(() => this.#current);
    this.client = this.connect();
  }

  /** Makes another client of the broker, closed with it. */
  connect(): LogClient {
    const client = connect(this.api);
    this.#clients.add(client);
    return client;
  }

  /** The broker itself, up to the next crash. */
  get broker(): Broker {
    return this.#life.broker;
  }

  /**
   * The disk that the broker is on, up to the next crash: make its calls fail, or flip its bits.
   */
  get disk(): SimulatedDisk {
    return this.#life.disk;
  }

  /**
   * Produces records, and resolves to where each is. Strings and bytes are written as they are, all
   * other values as JSON.
   *
   * @throws what a producer's `send` throws
   */
  produce(topic: string, records: Iterable<FixtureRecord>): Promise<AppendAck[]> {
    return produceFixtures(this.client, topic, records);
  }

  /**
   * Reads all records of a topic, by partition and offset. Keys and values are text, unless the
   * options, those of `client.reader`, name another format.
   *
   * @throws what a reader throws
   */
  async read<T = string, K = string>(
    topic: string,
    options: Omit<ReaderOptions<T, K>, "topics" | "assign" | "until"> = {},
  ): Promise<ConsumerRecord<T, K>[]> {
    const textual = options.schema === undefined ? { key: text(), value: text() } : { key: text() };
    const format = { ...textual, ...options, topics: [topic], until: "latest" } as ReaderOptions<T, K>;
    const records = await Array.fromAsync(this.client.reader<T, K>(format as never));
    return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  /**
   * Resolves when a group has committed everything there is, to its description. A group commits
   * every 5 s by default: give its members a small `commitIntervalMs`.
   *
   * @throws NotCaughtUpError
   */
  caughtUp(group: string, options: CaughtUpOptions = {}): Promise<GroupDescription> {
    return caughtUp(this.client, group, options);
  }

  /**
   * Cuts the power of the broker's machine, and restarts it. Everything acknowledged as "flushed"
   * survives. The seed determines which other writes survive.
   *
   * @param outcome what happens to writes that were not flushed
   * @throws InvalidArgumentError, ClosedError; what `Broker.open` throws
   */
  async powerCut(outcome: PowerCutOutcome = this.#random.oneOf(powerCutOutcomes)): Promise<void> {
    checkArgument("powerCut", "outcome", outcome, oneOf(...powerCutOutcomes));
    return this.#restart((disk) => disk.powerCut(outcome, this.#random.seed()));
  }

  /**
   * Kills the broker's process, as `kill -9` does, and restarts it. Nothing that was written is
   * lost.
   *
   * @throws ClosedError; what `Broker.open` throws
   */
  kill(): Promise<void> {
    return this.#restart((disk) => disk.processKill());
  }

  /** Crashes the broker at once, or after the restart in progress. */
  async #restart(crash: (disk: SimulatedDisk) => SimulatedDisk): Promise<void> {
    while (this.#restarting !== undefined) await this.#restarting;
    if (this.#isClosed) throw new ClosedError("the test broker is closed");
    const restarted = this.#restartNow(crash);
    const ended = () => {
      this.#restarting = undefined;
    };
    this.#restarting = restarted.then(ended, ended);
    await restarted;
  }

  async #restartNow(crash: (disk: SimulatedDisk) => SimulatedDisk): Promise<void> {
    const { broker, disk } = this.#life;
    this.#life.crash();
    const opening = start(crash(disk), this.#options);
    this.#current = opening;
    opening.catch(() => {}); // told below
    await broker.close().catch(() => {}); // its disk has stopped
    this.#life = await opening;
  }

  /** Closes the clients, 2 s at most, and the broker. Nothing is kept. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      const closing = Array.from(this.#clients, (client) => client.close({ timeoutMs: CLOSE_TIMEOUT_MS }));
      const failed = (await Promise.allSettled(closing)).find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
    } finally {
      await this.#restarting;
      await this.broker.close().catch(() => {}); // a disk that a test has broken
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
