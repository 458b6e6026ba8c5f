/**
 * Fills a data directory, or opens and closes it, and reports the duration of each step and how
 * long it blocked the event loop.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { LogStoreError, RecordBatchBuilder } from "@logstore/codec";
import { Broker } from "@logstore/core";
import { BusyTurns } from "../loop-delay/busy-turns.ts";

export interface Step {
  readonly name: string;
  readonly tookMs: number;
  /** The most processor time of the thread in one turn of its event loop. */
  readonly busyMs: number;
  /** The longest delay of a timer. */
  readonly delayMs: number;
}

const RESOLUTION_MS = 1;
const MANY_AT_ONCE = 64;

const [phase, directory, ...rest] = process.argv.slice(2);
const [topics, partitions, records, seed] = rest.map(Number) as [number, number, number, number];
const busy = new BusyTurns();
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  await sleep(50); // earlier work is finished
  delay.reset();
  delay.enable();
  busy.begin();
  const begun = performance.now();
  const result = await work();
  const tookMs = performance.now() - begun;
  await sleep(5); // the last turn is counted, too
  delay.disable();
  process.send!({ name, tookMs, busyMs: busy.mostMs, delayMs: delay.max / 1e6 - RESOLUTION_MS } satisfies Step);
  return result;
}

const names = Array.from({ length: topics }, (_, i) => `topic-${i}`);

/** Records of up to 200 bytes, drawn with the seed. */
function batchOf(index: number): Uint8Array {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < records; i++) builder.append(null, "x".repeat((seed * 31 + index * 17 + i * 7) % 200), 0);
  return builder.seal();
}

async function produceAll(broker: Broker): Promise<void> {
  const each = names.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < each.length; i = next++)
      await broker.produce({ ...each[i]!, batches: batchOf(i), durability: "written" });
  };
  await Promise.all(Array.from({ length: MANY_AT_ONCE }, worker));
}

/** Retries until the topic responds, as long as it reports that it is being opened. */
async function firstAnswer(broker: Broker, topic: string): Promise<void> {
  for (;;) {
    try {
      await broker.describeTopic(topic);
      return;
    } catch (error) {
      if (!(error instanceof LogStoreError) || error.code !== "UNAVAILABLE") throw error;
      await sleep(1);
    }
  }
}

if (phase === "fill") {
  const broker = await Broker.open(directory!);
  for (let from = 0; from < names.length; from += MANY_AT_ONCE) {
    const some = names.slice(from, from + MANY_AT_ONCE);
    await Promise.all(some.map((topic) => broker.createTopic({ topic, partitions })));
  }
  await produceAll(broker);
  await step("close, every partition was appended to", () => broker.close());
} else {
  let broker!: Broker;
  await step("open, all of it", async () => {
    const begun = performance.now();
    broker = await Broker.open(directory!, { waitForTopics: false });
    await firstAnswer(broker, names[0]!);
    console.log(`first answer after ${Math.round(performance.now() - begun)} ms`);
    await broker.opened;
  });
  await step("listTopics and describeTopic of the first", async () => {
    await broker.listTopics();
    await broker.describeTopic(names[0]!);
  });
  await step("close, nothing was appended", () => broker.close());
}
process.exit(0);
