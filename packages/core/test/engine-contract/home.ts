/** The part of the contract that an engine's author implements, and helpers for its tests. */
import { type ProducerStamp, RecordBatch, RecordBatchBuilder } from "@logstore/codec";
import { onTestFinished } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import type { PartitionLog } from "../../src/engine/partition-log.js";
import type { Topic } from "../../src/engine/topic-catalogue.js";

/** The storage that the engines of one test share. */
export interface EngineHome {
  /**
   * Opens an engine. The first one is empty, and a later one finds what earlier ones have stored.
   * Several are open at the same time only if `isShared`.
   */
  open(): Promise<Engine>;
  /** Whether several engines may be open at the same time, like those of several brokers. */
  readonly isShared: boolean;
  /** Called when the test ends, after all engines have been closed. */
  remove?(): Promise<void>;
}

/** Creates an empty home. */
export type MakeHome = () => Promise<EngineHome>;

/** The engines of one test, all of which are closed when it ends. */
export class Bench {
  readonly home: EngineHome;
  readonly #open = new Map<Engine, Set<Topic>>();

  private constructor(home: EngineHome) {
    this.home = home;
  }

  static async in(makeHome: MakeHome): Promise<Bench> {
    const bench = new Bench(await makeHome());
    onTestFinished(async () => {
      for (const engine of bench.#open.keys()) await bench.close(engine);
      await bench.home.remove?.();
    });
    return bench;
  }

  async open(): Promise<Engine> {
    const engine = await this.home.open();
    this.#open.set(engine, new Set());
    await engine.catalogue.find(); // like a broker, which calls it first
    return engine;
  }

  async create(engine: Engine, topic = "t", partitions = 1, config = {}): Promise<Topic> {
    return this.#opened(engine, await engine.catalogue.create(topic, partitions, config));
  }

  /** Opens an existing topic. */
  async find(engine: Engine, topic = "t"): Promise<Topic> {
    const { topics } = await engine.catalogue.find();
    const found = topics.find((each) => each.topic === topic);
    if (found === undefined) throw new Error(`${topic} is not found`);
    return this.#opened(engine, await engine.catalogue.open(found));
  }

  /** The log of a new topic with one partition. */
  async log(config = {}): Promise<PartitionLog> {
    return (await this.create(await this.open(), "t", 1, config)).log(0);
  }

  /** Closes the topics and the engine, in the order in which a broker does. */
  async close(engine: Engine): Promise<void> {
    const topics = this.#open.get(engine) ?? [];
    this.#open.delete(engine);
    for (const topic of topics) await topic.close();
    await engine.journal.close();
    await engine.close();
  }

  #opened(engine: Engine, topic: Topic): Topic {
    this.#open.get(engine)!.add(topic);
    return topic;
  }
}

/** A sealed batch of records with these values. */
export function batch(values: readonly string[], stamp?: ProducerStamp): Uint8Array {
  const builder = new RecordBatchBuilder();
  for (const value of values) builder.append(null, value, 1_000);
  return builder.seal(stamp);
}

/** A sealed batch of a producer with epoch 0. */
export function numbered(values: readonly string[], baseSequence: number, producerId = 7): Uint8Array {
  return batch(values, { producerId, producerEpoch: 0, baseSequence });
}

/** Offset and value of each readable record from an offset on: `0 a`, `1 b`. */
export async function lines(log: PartitionLog, from = log.offsets.logStart): Promise<string[]> {
  const reader = log.reader(from);
  const found: string[] = [];
  for (let next = await reader.next({ maxBytes: 10_000 }); next; next = await reader.next({ maxBytes: 10_000 })) {
    for (const each of batchesIn(next.bytes)) {
      let offset = each.baseOffset;
      for (const { value } of each.verify()) {
        if (offset >= from) found.push(`${offset} ${Buffer.from(value).toString()}`);
        offset++;
      }
    }
  }
  return found;
}

export function batchesIn(bytes: Uint8Array): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let at = 0; at < bytes.length; at += batches.at(-1)!.byteLength) batches.push(RecordBatch.parse(bytes, at));
  return batches;
}

/** The code of the error that a promise rejects with, or that a function throws. */
export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string | undefined> {
  try {
    await (typeof work === "function" ? work() : work);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
