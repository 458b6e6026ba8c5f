/** Every way to read. Each ends when its inspector has seen everything. */
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommittedOffset, Consumer } from "@logstore/client";
import { frameBatches, type RecordBatch } from "@logstore/codec";
import { LogStore, type ReadOnlyLogStore } from "@logstore/core";
import type { SeenRecord } from "./content.ts";
import type { Inspector } from "./inspector.ts";
import type { Pace } from "./scenario.ts";
import { type Scene, TOPIC } from "./scene.ts";

export interface Reading {
  readonly scene: Scene;
  readonly inspector: Inspector;
  readonly signal: AbortSignal;
  /** Names resources that no other reader shares, such as a group. */
  readonly name: string;
}

type Way = (reading: Reading) => Promise<unknown>;

/** Pauses as the scenario's pace requires. */
class Pacer {
  readonly #pace: Pace;
  #bytes = 0;

  constructor({ scene }: Reading) {
    this.#pace = scene.scenario.pace;
  }

  /** Undefined if there is nothing to wait for. */
  took(bytes: number): Promise<unknown> | undefined {
    if (this.#pace === "fast") return undefined;
    const before = this.#bytes;
    this.#bytes += bytes;
    if (this.#pace === "slow") return crosses(before, bytes, 512 * 1024) ? sleep(3) : undefined;
    return crosses(before, bytes, 6 * 1024 * 1024) ? sleep(250) : undefined;
  }
}

function crosses(before: number, bytes: number, step: number): boolean {
  return Math.floor(before / step) !== Math.floor((before + bytes) / step);
}

const all = (reading: Reading) => reading.scene.ends.map((_, partition) => partition);
const assignedTo = (reading: Reading) => ({
  assign: { [TOPIC]: all(reading) },
  onSkipped: reportingSkips(reading),
  signal: reading.signal,
});

/** The callback through which the reader reports every record that it skips. */
function reportingSkips({ inspector }: Reading) {
  return ({ partition, from, to }: { readonly partition: number; readonly from: number; readonly to: number }) =>
    inspector.skipped(partition, from, to);
}

export const ways: Readonly<Record<string, Way>> = {
  "embedded read": (reading) =>
    eachPartition(reading, async (partition) => {
      const { scene, inspector, signal } = reading;
      // Each pass ends at the log end as of its start.
      while (!inspector.isCompleteIn(partition) && !signal.aborted) {
        const from = goingOn(reading, partition);
        const records = scene.broker.topic(TOPIC).read(partition, { from, onSkipped: reportingSkips(reading) });
        await unlessDeleted(takeRecords(reading, partition, records));
        await sleep(2);
      }
    }),

  "embedded tail": (reading) =>
    eachPartition(reading, (partition) =>
      takeRecords(
        reading,
        partition,
        reading.scene.broker.topic(TOPIC).tail(partition, { from: "earliest", onSkipped: reportingSkips(reading) }),
      ),
    ),

  "embedded batches": (reading) =>
    eachPartition(reading, async (partition) => {
      const pacer = new Pacer(reading);
      const stream = reading.scene.broker
        .topic(TOPIC)
        .tail(partition, { from: "earliest", onSkipped: reportingSkips(reading) });
      for await (const batch of stream.batches()) {
        takeBatch(reading, partition, batch);
        await pacer.took(batch.byteLength);
        if (isDone(reading, partition)) return;
      }
    }),

  follower: async (reading) => {
    await using store = await follow(reading.scene.directory);
    await eachPartition(reading, (partition) =>
      takeRecords(reading, partition, store.tail(partition, { from: "earliest", onSkipped: reportingSkips(reading) })),
    );
  },

  consume: (reading) =>
    eachPartition(reading, async (partition) => {
      const { scene, inspector, signal } = reading;
      const pacer = new Pacer(reading);
      while (!isDone(reading, partition)) {
        const request = { topic: TOPIC, partition, from: inspector.next(partition) };
        try {
          for await (const event of scene.api.consume(request, { signal })) {
            if (event.type === "logStartMoved")
              inspector.skipped(partition, inspector.next(partition), event.logStartOffset);
            if (event.type !== "batches") continue;
            for (const batch of frameBatches(event.batches)) takeBatch(reading, partition, batch);
            await pacer.took(event.batches.length);
            if (isDone(reading, partition)) return;
          }
        } catch (error) {
          await passOver(reading, partition, error);
        }
      }
    }),

  fetch: (reading) =>
    eachPartition(reading, async (partition) => {
      const { scene, inspector } = reading;
      const pacer = new Pacer(reading);
      // Every other call waits for more than is available; its result is joined from several reads.
      for (let call = 0; !isDone(reading, partition); call++) {
        const from = inspector.next(partition);
        const minBytes = call % 2 === 0 ? 1 : 300_000;
        const request = { topic: TOPIC, partition, from, minBytes, maxWaitMs: 100, maxBytes: 700_000 };
        try {
          const { batches } = await scene.api.fetch(request);
          for (const batch of frameBatches(batches)) takeBatch(reading, partition, batch);
          await pacer.took(batches.length);
        } catch (error) {
          await passOver(reading, partition, error);
        }
      }
    }),

  records: async (reading) => {
    const pacer = new Pacer(reading);
    const reader = reading.scene.client.reader(assignedTo(reading));
    for await (const record of reader) {
      reading.inspector.accept(record.partition, record);
      await pacer.took(record.value.length);
      if (reading.inspector.isComplete) return;
    }
  },

  batches: async (reading) => {
    const pacer = new Pacer(reading);
    const reader = reading.scene.client.reader(assignedTo(reading));
    for await (const batch of reader.batches()) {
      for (const record of batch) reading.inspector.accept(record.partition, record);
      await pacer.took(batch.bytes.length);
      if (reading.inspector.isComplete) return;
    }
  },

  /** Up to the log end as of the start of reading, then again from there. */
  "records until latest": async (reading) => {
    const { scene, inspector, signal } = reading;
    const pacer = new Pacer(reading);
    while (!inspector.isComplete && !signal.aborted) {
      const from = { [TOPIC]: Object.fromEntries(all(reading).map((p) => [p, goingOn(reading, p)])) };
      const reader = scene.client.reader({ ...assignedTo(reading), from, until: "latest" });
      const pass = async () => {
        for await (const record of reader) {
          inspector.accept(record.partition, record);
          await pacer.took(record.value.length);
        }
      };
      await unlessDeleted(pass());
      await sleep(2);
    }
  },

  group: (reading) =>
    asGroup(reading, async (consumer, done) => {
      const pacer = new Pacer(reading);
      for await (const record of consumer) {
        reading.inspector.accept(record.partition, record);
        if (reading.inspector.isComplete) done();
        await pacer.took(record.value.length);
      }
    }),

  "group batches": (reading) =>
    asGroup(reading, async (consumer, done) => {
      const pacer = new Pacer(reading);
      for await (const batch of consumer.batches()) {
        for (const record of batch) reading.inspector.accept(record.partition, record);
        if (reading.inspector.isComplete) done();
        await pacer.took(batch.bytes.length);
      }
    }),

  run: (reading) =>
    asGroup(reading, async (consumer, done) => {
      const pacer = new Pacer(reading);
      await consumer.run({
        async eachRecord(record) {
          await pacer.took(record.value.length);
          reading.inspector.accept(record.partition, record);
          if (reading.inspector.isComplete) done();
        },
      });
    }),

  parked: async (reading) => {
    const { scene, inspector, name } = reading;
    const fails = (record: SeenRecord) => record.offset % 40 === 7;
    const parked = new Set<string>();
    let count = 0;
    const committed = await asGroup(reading, (consumer, done) =>
      consumer.run({
        retry: { attempts: 1 },
        async eachRecord(record) {
          if (inspector.isComplete) done();
          inspector.accept(record.partition, record);
          if (inspector.isComplete) done();
          if (fails(record)) throw new Error("to be parked");
        },
      }),
    );
    const lot = scene.client.parked(TOPIC, name);
    const check = ({ topic, partition, headers, ...record }: SeenRecord & { topic: string; partition: number }) => {
      if (topic !== TOPIC) throw new Error(`${topic} is not where it came from`);
      const own = headers.filter(({ name }) => !name.startsWith("logstore-"));
      inspector.acceptAgain(partition, { ...record, headers: own });
    };
    for await (const record of lot) {
      if (fails(record)) check(record);
      else throw new Error(`${record.partition}/${record.offset} was parked and did not fail`);
      parked.add(`${record.partition}/${record.offset}`);
      count++;
    }
    // A record that fails after `close()` is not parked, and not committed.
    for (const { partition, offset } of committed) {
      for (let at = 7; at < offset; at += 40) {
        if (!parked.has(`${partition}/${at}`)) throw new Error(`${partition}/${at} was committed and not parked`);
      }
    }
    const { replayed } = await lot.replay({ to: check });
    if (replayed !== count) throw new Error(`${replayed} of ${count} were replayed`);
  },
};

/** A start offset that was deleted in the meantime is an error. */
async function unlessDeleted(pass: Promise<void>): Promise<void> {
  await pass.catch((error: unknown) => {
    if ((error as { code?: string }).code !== "OFFSET_OUT_OF_RANGE") throw error;
  });
}

async function eachPartition(reading: Reading, read: (partition: number) => Promise<void>): Promise<void> {
  await Promise.all(all(reading).map(read));
}

function isDone({ inspector, signal }: Reading, partition: number): boolean {
  return inspector.isCompleteIn(partition) || signal.aborted;
}

/**
 * Where a reader that starts again continues: after what it has read, and after what has been
 * deleted.
 */
function goingOn({ scene, inspector }: Reading, partition: number): number {
  const next = inspector.next(partition);
  const start = scene.broker.topic(TOPIC).partition(partition).startOffset;
  if (next < start) inspector.skipped(partition, next, start);
  return Math.max(next, start);
}

async function takeRecords(reading: Reading, partition: number, records: AsyncIterable<SeenRecord>): Promise<void> {
  const pacer = new Pacer(reading);
  for await (const record of records) {
    reading.inspector.accept(partition, record);
    await pacer.took(record.value.length);
    if (isDone(reading, partition)) return;
  }
}

/** Skips records before the requested position or seen already, as the protocol requires. */
function takeBatch({ inspector }: Reading, partition: number, batch: RecordBatch): void {
  const from = inspector.next(partition);
  const cursor = batch.verify().cursor();
  while (cursor.next()) if (cursor.offset >= from) inspector.accept(partition, cursor.record);
}

/**
 * How a reader of the bare API handles a failed call: it reconnects after a lost connection, and
 * skips what was deleted.
 */
async function passOver({ scene, inspector, signal }: Reading, partition: number, error: unknown): Promise<void> {
  if (signal.aborted) return;
  const { code, expected } = error as { code?: string; expected?: number };
  if (code === "OFFSET_OUT_OF_RANGE" && expected !== undefined) {
    inspector.skipped(partition, inspector.next(partition), expected);
  } else if (code !== "UNAVAILABLE" && code !== "SLOW_CONSUMER" && code !== "QUOTA_EXCEEDED") {
    throw error;
  } else if (scene.scenario.network !== "breaking" && code === "UNAVAILABLE") {
    throw error;
  }
  await sleep(5);
}

async function asGroup(
  reading: Reading,
  read: (consumer: Consumer, done: () => void) => Promise<void>,
): Promise<CommittedOffset[]> {
  const { scene, inspector, signal, name } = reading;
  const options = {
    group: name,
    topics: [TOPIC],
    signal,
    commitIntervalMs: 200,
    onSkipped: reportingSkips(reading),
  };
  const members = Array.from({ length: scene.scenario.readers }, () => scene.client.consumer(options));
  const done = () => {
    for (const member of members) void member.close();
  };
  await Promise.all(members.map((member) => read(member, done)));
  await Promise.all(members.map((member) => member.close()));
  const committed = await scene.client.fetchOffsets(name);
  for (const { partition, offset } of committed) {
    if (offset > scene.ends[partition]!) throw new Error(`${partition}: ${offset} was committed, beyond the end`);
    for (let at = 0; at < offset; at++) inspector.mustHave(partition, at, "was committed past");
  }
  return committed;
}

async function follow(directory: string): Promise<ReadOnlyLogStore> {
  const files = await readdir(join(directory, "topics"), { recursive: true });
  const store = files.find((file) => file.endsWith("store.json"));
  if (store === undefined) throw new Error("there is no store to follow");
  return LogStore.openReadOnly(dirname(join(directory, "topics", store)));
}
