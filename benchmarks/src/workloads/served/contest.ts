/**
 * Producing and consuming, by clients of servers in other processes. In each round, a client
 * produces to a new topic, and consumes a topic that it filled before the first round.
 */
import type { Durability } from "../../contestants/embedded.ts";
import { type ServedContestant, takingPart } from "../../contestants/list.ts";
import { makeCertificate } from "../../processes/certificate.ts";
import { type Settings, WARM_UP_RUNS } from "../../settings.ts";
import type { Series } from "../../statistics/spread.ts";
import { type Guest, Guests } from "./guests.ts";

/** Records of the first run. */
const FIRST_RECORDS = 2_000;
const MOST_WARM_UPS = 6;
const MOST_PER_BATCH = 1_000;
/** JetStream's packed batches are messages, which have 1 MiB at most. */
const MOST_BATCH_BYTES = 512 * 1024;
/** Batches of a client that are not acknowledged at the same time. */
const IN_FLIGHT = 4;
/** Filling a topic takes at most this many times a run, so that slow producers consume less. */
const MOST_RUNS_OF_FILLING = 3;

export interface Shape {
  readonly valueBytes: number;
  readonly durability: Durability;
  readonly hasTls?: boolean;
}

/** Records a second. */
interface Rates {
  readonly produce: number;
  readonly consume: number;
}

export interface Outcome {
  readonly produce: readonly Series[];
  readonly consume: readonly Series[];
}

/** What a client does in each round. */
interface Plan {
  readonly produced: number;
  readonly consumed: number;
  /** Topic that it consumes. */
  readonly kept: string;
}

export async function contest(settings: Settings, all: readonly ServedContestant[], shape: Shape): Promise<Outcome> {
  const { directory, rounds, servers } = settings;
  const { durability, hasTls = false } = shape;
  const contestants = takingPart(all, settings);
  const certificate = hasTls ? makeCertificate(directory) : undefined;
  await using guests = await Guests.invite(contestants, { servers, durability, certificate });
  const rates = new Map<string, Rates[]>(contestants.map(({ name }) => [name, []]));
  const plans = new Map<Guest, Plan>();
  for (const guest of guests) {
    const plan = await guests.turn(guest, () => new Client(guest, shape, settings).prepare());
    if (plan !== undefined) plans.set(guest, plan);
  }
  for (let round = 1; round <= rounds; round++) {
    for (const guest of guests) {
      const plan = plans.get(guest)!;
      const found = await guests.turn(guest, () => new Client(guest, shape, settings).round(plan, round));
      if (found !== undefined) rates.get(guest.contestant.name)!.push(found);
    }
  }
  for (const guest of guests) await guests.turn(guest, () => guest.worker.ask("deleteTopic", plans.get(guest)!.kept));
  const seriesOf = (who: readonly ServedContestant[], what: keyof Rates) =>
    who.map((one) =>
      guests.seriesOf(
        one,
        rates.get(one.name)!.map((rate) => rate[what]),
      ),
    );
  const producers = contestants.filter(({ onlyConsumes }) => onlyConsumes !== true);
  return { produce: seriesOf(producers, "produce"), consume: seriesOf(contestants, "consume") };
}

class Client {
  readonly #guest: Guest;
  readonly #shape: Shape;
  readonly #settings: Settings;
  readonly #batch: number;
  readonly #topic: string;

  constructor(guest: Guest, shape: Shape, settings: Settings) {
    this.#guest = guest;
    this.#shape = shape;
    this.#settings = settings;
    this.#batch = Math.min(MOST_PER_BATCH, Math.floor(MOST_BATCH_BYTES / shape.valueBytes));
    this.#topic = `${guest.id}-${shape.valueBytes}`;
  }

  /** Warms up, and fills the topic that is consumed. */
  async prepare(): Promise<Plan> {
    const kept = `${this.#topic}-kept`;
    if (this.#guest.contestant.isTool) {
      // Each run is a process of its own, which warms up within it.
      const count = this.#settings.records;
      await this.#fill(kept, count);
      return { produced: count, consumed: count, kept };
    }
    const { produce, consume } = await this.#warmUp();
    const { runMs } = this.#settings;
    const consumed = Math.min(this.#countFor(consume, runMs), this.#countFor(produce, runMs * MOST_RUNS_OF_FILLING));
    await this.#fill(kept, consumed);
    return { produced: this.#countFor(produce, runMs), consumed, kept };
  }

  async round({ produced, consumed, kept }: Plan, round: number): Promise<Rates> {
    const { onlyConsumes } = this.#guest.contestant;
    let produce = Number.NaN;
    if (onlyConsumes !== true) {
      const topic = `${this.#topic}-round-${round}`;
      produce = await this.#fill(topic, produced);
      await this.#guest.worker.ask("deleteTopic", topic);
    }
    return { produce, consume: await this.#consume(kept, consumed) };
  }

  /**
   * Until it has produced for as long as some runs last. The checksums of the first values are
   * compared, too.
   */
  async #warmUp(): Promise<Rates> {
    const { runMs } = this.#settings;
    let count = Math.ceil(FIRST_RECORDS / this.#batch) * this.#batch;
    let rates: Rates = { produce: 0, consume: 0 };
    for (let run = 1, spentMs = 0; run <= MOST_WARM_UPS && spentMs < runMs * WARM_UP_RUNS; run++) {
      const topic = `${this.#topic}-first-${run}`;
      const produce = await this.#fill(topic, count);
      rates = { produce, consume: await this.#consume(topic, count) };
      if (run === 1) await this.#consume(topic, count, true);
      await this.#guest.worker.ask("deleteTopic", topic);
      spentMs += (count / produce) * 1_000;
      count = this.#countFor(produce, runMs);
    }
    return rates;
  }

  /** Creates a topic and produces to it. */
  async #fill(topic: string, count: number): Promise<number> {
    const { worker } = this.#guest;
    await worker.ask("createTopic", topic);
    const values = { count, valueBytes: this.#shape.valueBytes, batch: this.#batch, inFlight: IN_FLIGHT };
    return (count / (await worker.ask("produce", { topic, ...values }))) * 1_000;
  }

  async #consume(topic: string, count: number, isChecked = false): Promise<number> {
    const request = { topic, count, valueBytes: this.#shape.valueBytes, isChecked };
    return (count / (await this.#guest.worker.ask("consume", request))) * 1_000;
  }

  /** In whole batches. */
  #countFor(perSecond: number, ms: number): number {
    const count = Math.min(this.#settings.records, (perSecond * ms) / 1_000);
    return Math.max(1, Math.round(count / this.#batch)) * this.#batch;
  }
}
