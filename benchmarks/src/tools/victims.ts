/** Small producers and tailing consumers at a steady rate: measures the latency of each record. */
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@logstore/client";
import type { Durability } from "@logstore/protocol";

export interface Load {
  readonly partitions: number;
  /** Records per second, of all partitions together. */
  readonly rate: number;
  readonly seconds: number;
  readonly durability: Durability;
}

/** Time since sending, in ms; one value per record. */
export interface Times {
  readonly acked: readonly number[];
  readonly received: readonly number[];
}

const VALUE_BYTES = 100;
/** Warm-up before the measurement, for code and connections. */
const WARM_UP_SECONDS = 2;

/** Creates a topic of that name. The producer and the consumer have a connection each. */
export async function deliveryTimes(address: string, topic: string, load: Load): Promise<Times> {
  const [there, here] = [connect(address), connect(address)];
  await there.createTopic(topic, { partitions: load.partitions, durability: load.durability });
  const producer = there.producer(topic, { lingerMs: 0 });
  const all = Array.from({ length: load.partitions }, (_, partition) => partition);
  for (const partition of all) await producer.send({ partition, value: valueWith(performance.now()) });
  const reader = here.reader({ assign: { [topic]: all }, from: "latest" });
  const notCounted = load.rate * WARM_UP_SECONDS;
  const count = notCounted + load.rate * load.seconds;
  const received: number[] = [];
  let seen = 0;
  const reading = (async () => {
    for await (const { value } of reader) {
      if (seen++ >= notCounted) received.push(performance.now() - sentAt(value));
      if (seen === count) return;
    }
  })();
  await sleep(500); // every stream has reached the end
  const acked: number[] = [];
  const sends: Promise<unknown>[] = [];
  const begun = performance.now();
  for (let i = 0; i < count; i++) {
    const due = begun + (i * 1000) / load.rate;
    if (due > performance.now()) await sleep(due - performance.now());
    const now = performance.now();
    const sent = producer.send({ partition: i % load.partitions, value: valueWith(now) });
    sends.push(i < notCounted ? sent : sent.then(() => acked.push(performance.now() - now)));
  }
  await Promise.all(sends);
  await reading;
  await Promise.all([there.close(), here.close()]);
  return { acked, received };
}

function valueWith(ms: number): Uint8Array {
  const value = new Uint8Array(VALUE_BYTES);
  new DataView(value.buffer).setFloat64(0, ms);
  return value;
}

function sentAt(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset).getFloat64(0);
}
