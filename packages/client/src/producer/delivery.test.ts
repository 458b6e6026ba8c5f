import { setImmediate as turn } from "node:timers/promises";
import { StorageFailedError, UnavailableError } from "@logstore/codec";
import { expect, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { randomFrom, seeds } from "../../test/random.js";
import { connect } from "../index.js";

const PARTITIONS = 3;
const KEYS = 7;

/** A log that fails in every possible way, before or after the append. */
async function run(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const api = new FakeLogApi();
  await api.createTopic({ topic: "t", partitions: PARTITIONS });
  const errors = [UnavailableError, UnavailableError, StorageFailedError];
  let trouble = 40;
  api.onProduce = async (_, append) => {
    const fails = trouble > 0 && random.below(3) === 0;
    if (fails) trouble--;
    const failure = new errors[random.below(errors.length)]!("by chance");
    const isFinal = failure instanceof StorageFailedError;
    if (random.below(2) === 0) await turn();
    if (fails && (isFinal || random.below(2) === 0)) throw failure;
    const ack = append();
    if (random.below(2) === 0) await turn();
    if (fails) throw failure;
    return ack;
  };
  const client = connect(api);
  const producer = client.producer("t", { batchBytes: 100 + random.below(400), lingerMs: random.below(2) });
  const sent: { key: string; value: string; outcome: Promise<number | undefined> }[] = [];
  for (let i = 0; i < 300; i++) {
    const key = `key-${random.below(KEYS)}`;
    const value = `${key}/${i}`;
    const outcome = producer.send({ key, value }).then(
      ({ partition, offset }) => partition * 1e9 + offset,
      () => undefined,
    );
    sent.push({ key, value, outcome });
    if (random.below(20) === 0) await turn();
    if (random.below(100) === 0) await producer.flush();
  }
  await client.close();

  const stored = new Map<string, number>();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (const [offset, value] of api.values("t", partition).entries()) {
      expect(stored.has(value), `${value} is there once (seed ${seed})`).toBe(false);
      stored.set(value, partition * 1e9 + offset);
    }
  }
  const last = new Map<string, number>();
  for (const { key, value, outcome } of sent) {
    const acked = await outcome;
    const place = stored.get(value);
    // A rejected record may be in the log: a first attempt was appended, and the second one failed.
    if (acked !== undefined) expect(place, `${value} is where its ack says (seed ${seed})`).toBe(acked);
    if (place === undefined) continue;
    expect(place, `${value} comes after its predecessor (seed ${seed})`).toBeGreaterThan(last.get(key) ?? -1);
    last.set(key, place);
  }
}

test("whatever fails, what is acknowledged is there once, where the ack says, in order", {
  timeout: 60_000,
}, async () => {
  await Promise.all(seeds(40).map(run));
});
